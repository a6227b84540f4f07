import { dtmfSound } from './dtmf-tones.ts'
import { encodeInto, SILENCE_BYTE } from './g711.ts'
import { formatRtp, RTP_PAYLOAD_AT } from './rtp.ts'
import { TelephoneEventSender } from './telephone-event.ts'
import type { NegotiatedAudio, Pcm } from './types.ts'

/** The sending half of a session: what is to be heard by the far end, one packet at a time. Owns no socket, no clock. */

export type OutgoingFacts = { played(id: number, complete: boolean): void }
export type StreamStart = { ssrc: number; sequence: number; timestamp: number }

const PRESS_MS = 100
const BETWEEN_KEYS_MS = 80
/** Past this gap a far end's jitter buffer had better start over. */
const RESYNC_MS = 60

type Sound = { id: number; pcm: Pcm; at: number }

export class Outgoing {
  readonly #facts: OutgoingFacts
  readonly #ssrc: number
  #sequence: number
  #timestamp: number
  #sounds: Sound[] = []
  #keys: string[] = []
  #event: TelephoneEventSender | undefined
  /** A key as sound, ahead of everything else. */
  #keySound: Sound | undefined
  #keyPauseMs = 0
  #marker = true
  #wasSilent = true
  #done: number[] = []

  constructor(start: StreamStart, facts: OutgoingFacts) {
    this.#facts = facts
    this.#ssrc = start.ssrc
    this.#sequence = start.sequence
    this.#timestamp = start.timestamp
  }

  play(id: number, pcm: Pcm): void {
    this.#sounds.push({ id, pcm, at: 0 })
  }

  stop(): void {
    const dropped = this.#sounds
    this.#sounds = []
    for (const { id } of dropped) this.#facts.played(id, false)
  }

  press(keys: string): void {
    this.#keys.push(...keys)
  }

  /** A tick in which nothing leaves: on hold, or too late. Time runs on; the sound waits. */
  skip(audio: NegotiatedAudio, ticks: number): void {
    this.#timestamp = (this.#timestamp + ticks * audio.ptimeMs * 8) >>> 0
    if (ticks * audio.ptimeMs > RESYNC_MS) this.#marker = true
  }

  hold(audio: NegotiatedAudio): void {
    this.skip(audio, 1)
    this.#marker = true
  }

  /** The next packet. Call `sent` when it has left. */
  next(audio: NegotiatedAudio): Uint8Array {
    const samples = audio.ptimeMs * 8
    const packet = this.#keyPacket(audio, samples) ?? this.#soundPacket(audio, samples)
    this.#timestamp = (this.#timestamp + samples) >>> 0
    this.#sequence = (this.#sequence + 1) & 0xffff
    return packet
  }

  sent(): void {
    if (this.#done.length === 0) return
    const done = this.#done
    this.#done = []
    for (const id of done) this.#facts.played(id, true)
  }

  #keyPacket(audio: NegotiatedAudio, samples: number): Uint8Array | undefined {
    if (this.#keyPauseMs > 0) {
      this.#keyPauseMs -= audio.ptimeMs
      return undefined
    }
    if (!this.#event && !this.#keySound) this.#nextKey(audio)
    if (!this.#event || audio.dtmfPayloadType === undefined) return undefined
    const { marker, timestamp, payload, last } = this.#event.next(samples)
    if (last) this.#keyEnded()
    const packet = this.#packet(audio.dtmfPayloadType, marker, timestamp, payload.length)
    packet.set(payload, RTP_PAYLOAD_AT)
    return packet
  }

  #nextKey(audio: NegotiatedAudio): void {
    const key = this.#keys.shift()
    if (key === undefined) return
    if (audio.dtmfPayloadType === undefined) this.#keySound = { id: -1, pcm: dtmfSound(key, PRESS_MS), at: 0 }
    else this.#event = new TelephoneEventSender(key, this.#timestamp, PRESS_MS)
  }

  #keyEnded(): void {
    this.#event = undefined
    this.#keySound = undefined
    this.#keyPauseMs = BETWEEN_KEYS_MS
  }

  #soundPacket(audio: NegotiatedAudio, samples: number): Uint8Array {
    const waits = this.#keyPauseMs > 0 || this.#keys.length > 0
    const silent = !this.#keySound && (waits || this.#sounds.length === 0)
    const marker = this.#marker || (this.#wasSilent && !silent)
    this.#marker = false
    this.#wasSilent = silent
    const packet = this.#packet(audio.payloadType, marker, this.#timestamp, samples)
    const filled = silent ? 0 : this.#fill(audio, packet, samples)
    if (filled < samples) packet.fill(SILENCE_BYTE[audio.codec], RTP_PAYLOAD_AT + filled)
    return packet
  }

  /** Sounds follow each other without a gap, within a packet too. */
  #fill(audio: NegotiatedAudio, packet: Uint8Array, samples: number): number {
    let filled = 0
    while (filled < samples) {
      const sound = this.#keySound ?? this.#sounds[0]
      if (!sound) break
      const count = Math.min(samples - filled, sound.pcm.length - sound.at)
      encodeInto(audio.codec, sound.pcm, sound.at, count, packet, RTP_PAYLOAD_AT + filled)
      sound.at += count
      filled += count
      if (sound.at < sound.pcm.length) continue
      if (sound === this.#keySound) {
        this.#keyEnded()
        break // quiet between keys
      }
      this.#sounds.shift()
      this.#done.push(sound.id)
    }
    return filled
  }

  #packet(payloadType: number, marker: boolean, timestamp: number, payloadBytes: number): Buffer {
    const header = { marker, payloadType, sequence: this.#sequence, timestamp, ssrc: this.#ssrc }
    return formatRtp(header, payloadBytes)
  }
}
