import { decodeInto } from './g711.ts'
import { FRAME_SAMPLES, type Hearing } from './hearing.ts'
import { Latch } from './latch.ts'
import { Reception } from './reception.ts'
import { Recording } from './recording.ts'
import { isRtcp, parseRtp, type RtpPacket } from './rtp.ts'
import { TelephoneEventReceiver } from './telephone-event.ts'
import { Timeline } from './timeline.ts'
import type { Codec, MediaAddress, NegotiatedAudio, Pcm } from './types.ts'

/** The receiving half of a session: datagrams in, facts out. Owns no socket and no clock. */

export type IncomingFacts = {
  started(): void
  key(digit: string, atMs: number, durationMs: number): void
  inactive(): void
}

/** More sound than any packet time we agree to: not worth a place in anyone's memory. */
const MAX_PAYLOAD_BYTES = 1440
const MAX_SILENCE_SAMPLES = 8000 * 10
/** RFC 3264 §5.1: what was offered may come, whichever of it was answered. */
const STATIC_CODECS = new Map<number, Codec>([
  [0, 'PCMU'],
  [8, 'PCMA'],
])

export class Incoming {
  readonly reception = new Reception()
  readonly #hearing: Hearing
  readonly #facts: IncomingFacts
  readonly #recording: Recording
  readonly #inactivityMs: number
  readonly #timeline = new Timeline()
  readonly #events = new TelephoneEventReceiver()
  readonly #frame: Pcm = new Int16Array(FRAME_SAMPLES)
  /** One packet's sound; whoever keeps it copies it. */
  #pcm: Pcm = new Int16Array(FRAME_SAMPLES)
  #framed = 0
  #audio: NegotiatedAudio | undefined
  #latch: Latch | undefined
  #lastPacketMs = 0
  malformed = 0

  constructor(options: { hearing: Hearing; facts: IncomingFacts; recordMs: number; inactivityMs: number }) {
    this.#hearing = options.hearing
    this.#facts = options.facts
    this.#recording = new Recording(options.recordMs)
    this.#inactivityMs = options.inactivityMs
  }

  /** What was negotiated, anew after a re-INVITE: the source may then be another one. */
  agree(audio: NegotiatedAudio, nowMs: number): void {
    const before = this.#audio
    if (!this.#latch || before?.remote.host !== audio.remote.host || before.remote.port !== audio.remote.port) {
      this.#latch = new Latch(audio.remote)
    }
    if (!before || !hears(before)) this.#lastPacketMs = nowMs
    this.#audio = audio
  }

  get target(): MediaAddress | undefined {
    return this.#latch?.target
  }

  /** The proven source while it talks; undefined while anybody may still become it. */
  lockedOn(nowMs: number): MediaAddress | undefined {
    return this.#latch?.isSilent(nowMs) === false ? this.#latch.source : undefined
  }

  receive(datagram: Uint8Array, from: { address: string; port: number }, nowMs: number): void {
    const audio = this.#audio
    if (!audio || !this.#latch) return // before the answer we can not know whose it is
    if (isRtcp(datagram)) return
    const packet = parseRtp(datagram)
    if (!packet || packet.payload.length > MAX_PAYLOAD_BYTES) {
      this.malformed++
      return
    }
    const { ssrc, sequence } = packet
    if (!this.#latch.admits({ host: from.address, port: from.port, ssrc, sequence, nowMs })) return
    this.#lastPacketMs = nowMs
    const isEvent = packet.payloadType === eventPayloadType(audio)
    this.reception.note(packet, isEvent ? undefined : nowMs)
    if (this.reception.received === 1) this.#facts.started()
    if (isEvent) this.#takeEvent(packet, nowMs)
    else this.#takeSound(packet, audio, nowMs)
  }

  /** Once a packet time: silence for packets that do not come, and the far end's silence itself. */
  tick(nowMs: number): void {
    if (!this.#audio) return
    const due = this.#timeline.silenceDue(nowMs)
    if (due >= FRAME_SAMPLES) this.#hearSilence(due - (due % FRAME_SAMPLES))
    if (!hears(this.#audio)) this.#lastPacketMs = nowMs
    if (nowMs - this.#lastPacketMs < this.#inactivityMs) return
    this.#lastPacketMs = nowMs
    this.#facts.inactive()
  }

  recorded(): Pcm {
    return this.#recording.get()
  }

  #takeSound(packet: RtpPacket, audio: NegotiatedAudio, nowMs: number): void {
    const { payloadType, payload } = packet
    const codec = payloadType === audio.payloadType ? audio.codec : STATIC_CODECS.get(payloadType)
    if (codec === undefined || payload.length === 0) return // comfort noise and the like: a sign of life, no sound
    const at = this.#timeline.place(packet.ssrc, packet.timestamp, payload.length, nowMs)
    if (at === undefined) {
      this.malformed++ // a flood
      return
    }
    if (this.#pcm.length !== payload.length) this.#pcm = new Int16Array(payload.length)
    const pcm = decodeInto(codec, payload, this.#pcm)
    this.#recording.put(pcm, at)
    const head = this.#timeline.head
    if (at > head) this.#hearSilence(at - head)
    const heard = this.#timeline.head - at
    if (heard <= 0) this.#hear(pcm)
    else if (heard < pcm.length) this.#hear(pcm.subarray(heard))
  }

  #takeEvent(packet: RtpPacket, nowMs: number): void {
    const press = this.#events.receive(packet.payload, packet.timestamp)
    if (!press) return
    if (!this.#timeline.started) this.#timeline.place(packet.ssrc, packet.timestamp, 0, nowMs)
    this.#facts.key(press.digit, this.#timeline.moment(packet.timestamp) / 8, press.durationMs)
  }

  /** Bounded: a machine that slept for an hour owes nobody an hour of frames. */
  #hearSilence(samples: number): void {
    const heard = Math.min(samples, MAX_SILENCE_SAMPLES)
    this.#timeline.head += samples - heard
    for (let left = heard; left > 0; left -= FRAME_SAMPLES) this.#hear(SILENCE.subarray(0, left))
  }

  #hear(pcm: Pcm): void {
    this.#timeline.head += pcm.length
    if (this.#framed === 0 && pcm.length === FRAME_SAMPLES) this.#hearing.push(pcm)
    else this.#reframe(pcm)
  }

  #reframe(pcm: Pcm): void {
    for (let at = 0; at < pcm.length; ) {
      const taken = Math.min(FRAME_SAMPLES - this.#framed, pcm.length - at)
      this.#frame.set(pcm.subarray(at, at + taken), this.#framed)
      this.#framed += taken
      at += taken
      if (this.#framed < FRAME_SAMPLES) continue
      this.#framed = 0
      this.#hearing.push(this.#frame)
    }
  }
}

const eventPayloadType = (audio: NegotiatedAudio): number | undefined =>
  audio.dtmfPayloadType === undefined ? undefined : (audio.dtmfReceivePayloadType ?? audio.dtmfPayloadType)
const SILENCE: Pcm = new Int16Array(FRAME_SAMPLES)
/** Whether the far end may be expected to send. */
const hears = (audio: NegotiatedAudio): boolean => audio.direction === 'sendrecv' || audio.direction === 'recvonly'
