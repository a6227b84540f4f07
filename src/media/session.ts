import { parseKeys } from './dtmf-keys.ts'
import type { FromSession, ToWorker } from './protocol.ts'
import type { MediaAddress, MediaHandlers, MediaSession, MediaStats, NegotiatedAudio, Pcm } from './types.ts'

/** The main thread's end of a session: verbs become messages, messages become calls of the handlers. */

const NOTHING_KNOWN: MediaStats = {
  packetsSent: 0,
  packetsReceived: 0,
  packetsLost: 0,
  jitterMs: 0,
  lateOver1Ms: 0,
  lateOver5Ms: 0,
  malformed: 0,
}

export type SessionDeps = {
  /** The session's number at the worker. */
  session: number
  local: MediaAddress
  handlers: MediaHandlers
  send(message: ToWorker, transfer?: ArrayBuffer[]): void
  /** The session is over, one way or the other. */
  gone(): void
  /** A handler threw: the room that owns it has a fault, the others must not suffer. */
  handlerFailed(error: unknown): void
}

export class SessionProxy implements MediaSession {
  readonly local: MediaAddress
  readonly #deps: SessionDeps
  readonly #id: number
  readonly #unplayed = new Set<number>()
  readonly #requests = new Map<number, (pcm: Pcm) => void>()
  readonly #closed = Promise.withResolvers<MediaStats>()
  #lastId = 0
  #state: 'open' | 'closing' | 'gone' = 'open'
  #recorded: Pcm = new Int16Array(0)

  constructor(deps: SessionDeps) {
    this.#deps = deps
    this.#id = deps.session
    this.local = deps.local
  }

  connect(audio: NegotiatedAudio): void {
    if (this.#state === 'open') this.#deps.send({ type: 'connect', session: this.#id, audio })
  }

  play(sound: Pcm): number {
    const id = ++this.#lastId
    if (this.#state !== 'open') return id
    this.#unplayed.add(id)
    const pcm = sound.slice() // the caller may go on using its own; a view's whole buffer would be copied
    this.#deps.send({ type: 'play', session: this.#id, id, pcm }, [pcm.buffer])
    return id
  }

  stop(): void {
    if (this.#state === 'open') this.#deps.send({ type: 'stop', session: this.#id })
  }

  sendDtmf(digits: string): void {
    const keys = parseKeys(digits)
    if (this.#state === 'open') this.#deps.send({ type: 'press', session: this.#id, keys })
  }

  recording(): Promise<Pcm> {
    if (this.#state === 'gone') return Promise.resolve(this.#recorded.slice())
    if (this.#state === 'closing') return this.#closed.promise.then(() => this.#recorded.slice())
    const request = ++this.#lastId
    const { promise, resolve } = Promise.withResolvers<Pcm>()
    this.#requests.set(request, resolve)
    this.#deps.send({ type: 'record', session: this.#id, request })
    return promise
  }

  close(): Promise<MediaStats> {
    if (this.#state === 'open') {
      this.#state = 'closing'
      this.#deps.send({ type: 'close', session: this.#id })
    }
    return this.#closed.promise
  }

  /** What the worker says of this session. */
  hear(says: FromSession): void {
    if (says.type === 'recorded') this.#answerRequest(says.request, says.pcm)
    else if (says.type === 'closed') this.#over(says.stats, says.pcm)
    else if (says.type === 'played') this.#played(says.id, says.complete)
    else if (this.#state === 'open') this.#call((handlers) => tell(handlers, says))
  }

  /** The worker is gone, and what it knew with it: no sound will come or go any more. */
  lost(): void {
    if (this.#state === 'gone') return
    const wasOpen = this.#state === 'open'
    this.#over(NOTHING_KNOWN, this.#recorded)
    if (wasOpen) this.#call((handlers) => handlers.onInactive?.())
  }

  #over(stats: MediaStats, recorded: Pcm): void {
    this.#state = 'gone'
    this.#recorded = recorded
    this.#deps.gone()
    for (const id of [...this.#unplayed]) this.#played(id, false)
    for (const request of [...this.#requests.keys()]) this.#answerRequest(request, recorded.slice())
    this.#closed.resolve({ ...stats })
  }

  #answerRequest(request: number, pcm: Pcm): void {
    this.#requests.get(request)?.(pcm)
    this.#requests.delete(request)
  }

  #played(id: number, complete: boolean): void {
    if (this.#unplayed.delete(id)) this.#call((handlers) => handlers.onPlayed?.({ id, complete }))
  }

  #call(run: (handlers: MediaHandlers) => void): void {
    try {
      run(this.#deps.handlers)
    } catch (error) {
      this.#deps.handlerFailed(error)
    }
  }
}

function tell(handlers: MediaHandlers, says: FromSession): void {
  if (says.type === 'started') handlers.onStarted?.()
  else if (says.type === 'verdict') handlers.onVerdict?.(says.verdict)
  else if (says.type === 'beep') handlers.onBeep?.({ atMs: says.atMs, hz: says.hz })
  else if (says.type === 'voice') handlers.onVoice?.({ speaking: says.speaking, atMs: says.atMs })
  else if (says.type === 'inactive') handlers.onInactive?.()
  else if (says.type === 'dtmf') {
    const { digit, source, atMs, durationMs } = says
    handlers.onDtmf?.({ digit, source, atMs, durationMs })
  }
}
