import type { Random } from '../random.ts'
import type { FvadLoader } from './fvad.ts'
import { type Heard, Hearing } from './hearing.ts'
import { Incoming } from './incoming.ts'
import { Outgoing } from './outgoing.ts'
import type { Pacer } from './pacer.ts'
import type { PortCircle } from './ports.ts'
import type { FromSession, OpenSession } from './protocol.ts'
import type { MediaStats, NegotiatedAudio, Pcm } from './types.ts'
import { openUdpPort, type UdpPort } from './udp.ts'

/** One call's sound inside the worker: joins socket, clock, sending half and receiving half. */

export type WorkerDeps = {
  pacer: Pacer
  ports: PortCircle
  fvad: FvadLoader
  random: Random
}

export class WorkerSession {
  readonly #deps: WorkerDeps
  readonly #options: OpenSession
  readonly #fail: (error: unknown) => void
  readonly #hearing: Hearing
  readonly #incoming: Incoming
  readonly #outgoing: Outgoing
  #socket: UdpPort | undefined
  #audio: NegotiatedAudio | undefined
  #leavePacer: (() => void) | undefined
  #closed = false
  #packetsSent = 0
  #lateOver1Ms = 0
  #lateOver5Ms = 0

  /** `fail` hears of what should not happen; the session is to be closed then. */
  constructor(
    deps: WorkerDeps,
    options: OpenSession,
    say: (says: FromSession) => void,
    fail: (error: unknown) => void,
  ) {
    this.#fail = fail
    this.#deps = deps
    this.#options = options
    const wants = { detect: options.detect, voice: options.voice, keys: options.inbandDtmf }
    this.#hearing = new Hearing(deps.fvad, wants, (heard) => say(factOf(heard)))
    this.#incoming = new Incoming({
      hearing: this.#hearing,
      recordMs: options.recordMs,
      inactivityMs: options.inactivityMs,
      facts: {
        started: () => say({ type: 'started' }),
        inactive: () => say({ type: 'inactive' }),
        key: (digit, atMs, durationMs) => say({ type: 'dtmf', digit, source: 'rfc4733', atMs, durationMs }),
      },
    })
    // RFC 3550 §5.1: first sequence number and timestamp are random, as the SSRC is
    const start = {
      ssrc: deps.random.int(2 ** 32),
      sequence: deps.random.int(2 ** 16),
      timestamp: deps.random.int(2 ** 32),
    }
    this.#outgoing = new Outgoing(start, { played: (id, complete) => say({ type: 'played', id, complete }) })
  }

  /** Binds a port; the session exists, silent, from here on. */
  async open(): Promise<number> {
    const socket = await openUdpPort(this.#options.host, this.#deps.ports, (datagram, from) => {
      this.#guarded(() => this.#incoming.receive(datagram, from, performance.now()))
    })
    this.#socket = socket
    if (this.#closed) await socket.close()
    return socket.port
  }

  connect(audio: NegotiatedAudio): void {
    if (this.#closed) return
    const samePace = this.#audio?.ptimeMs === audio.ptimeMs
    this.#audio = audio
    this.#incoming.agree(audio, performance.now())
    this.#socket?.face(undefined)
    this.#hearing.listensForKeys = audio.dtmfPayloadType === undefined
    if (samePace) return
    this.#leavePacer?.()
    this.#leavePacer = this.#deps.pacer.add(audio.ptimeMs, (nowMs, dueMs, missed) => {
      this.#guarded(() => this.#tick(nowMs, dueMs, missed))
    })
  }

  play(id: number, pcm: Pcm): void {
    this.#outgoing.play(id, pcm)
  }

  stop(): void {
    this.#outgoing.stop()
  }

  press(keys: string): void {
    this.#outgoing.press(keys)
  }

  recorded(): Pcm {
    return this.#incoming.recorded()
  }

  async close(): Promise<MediaStats> {
    if (!this.#closed) {
      this.#closed = true
      this.#leavePacer?.()
      this.#outgoing.stop()
      this.#hearing.close()
      await this.#socket?.close()
    }
    return this.#stats()
  }

  #guarded(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#fail(error)
    }
  }

  #tick(nowMs: number, dueMs: number, missed: number): void {
    const audio = this.#audio!
    this.#incoming.tick(nowMs)
    if (missed > 0) this.#outgoing.skip(audio, missed)
    const held = audio.direction === 'recvonly' || audio.direction === 'inactive'
    if (held) this.#outgoing.hold(audio)
    else this.#send(audio, nowMs, dueMs, missed)
  }

  #send(audio: NegotiatedAudio, nowMs: number, dueMs: number, missed: number): void {
    const to = this.#incoming.target
    if (!this.#socket || !to) return
    this.#socket.face(this.#incoming.lockedOn(nowMs))
    this.#socket.send(this.#outgoing.next(audio), to)
    this.#outgoing.sent()
    this.#packetsSent++
    const offMs = Math.abs(nowMs - dueMs)
    if (offMs > 1 || missed > 0) this.#lateOver1Ms++
    if (offMs > 5 || missed > 0) this.#lateOver5Ms++
  }

  #stats(): MediaStats {
    return {
      packetsSent: this.#packetsSent,
      packetsReceived: this.#incoming.reception.received,
      packetsLost: this.#incoming.reception.lost,
      jitterMs: this.#incoming.reception.jitterMs,
      lateOver1Ms: this.#lateOver1Ms,
      lateOver5Ms: this.#lateOver5Ms,
      malformed: this.#incoming.malformed,
    }
  }
}

function factOf(heard: Heard): FromSession {
  if (heard.type !== 'key') return heard
  const { digit, atMs, durationMs } = heard
  return { type: 'dtmf', digit, source: 'inband', atMs, durationMs }
}
