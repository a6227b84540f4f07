import { DTMF_KEYS } from './dtmf-keys.ts'
import { signedDifference } from './wrap.ts'

/** RFC 4733: a key press as packets of their own, in the stream's sequence numbers but with the press's timestamp. */

const PAYLOAD_BYTES = 4
const END_BIT = 0x80
const VOLUME_DBM0 = 10
const END_REPEATS = 3
const MAX_DURATION = 0xffff
/** Two packets of one press can not lie further apart than this: older timestamps are late copies. */
const LATE_SAMPLES = 8000 * 5

export type EventPacket = { marker: boolean; timestamp: number; payload: Uint8Array; last: boolean }

/** The packets of one press, one for each packet time: duration grows, the end is said three times (§2.5.1.4). */
export class TelephoneEventSender {
  readonly #event: number
  readonly #timestamp: number
  readonly #pressSamples: number
  #duration = 0
  #ends = 0

  constructor(key: string, timestamp: number, pressMs: number) {
    this.#event = DTMF_KEYS.indexOf(key)
    this.#timestamp = timestamp
    this.#pressSamples = pressMs * 8
  }

  next(samples: number): EventPacket {
    const marker = this.#duration === 0
    this.#duration = Math.min(this.#duration + samples, this.#pressSamples)
    const ended = this.#duration === this.#pressSamples
    if (ended) this.#ends++
    const payload = new Uint8Array(PAYLOAD_BYTES)
    payload[0] = this.#event
    payload[1] = (ended ? END_BIT : 0) | VOLUME_DBM0
    payload[2] = this.#duration >> 8
    payload[3] = this.#duration & 0xff
    return { marker, timestamp: this.#timestamp, payload, last: this.#ends === END_REPEATS }
  }
}

/** Tells each press once, at its first packet, whatever is lost, doubled or late: the timestamp names the press. */
export class TelephoneEventReceiver {
  #latest: { timestamp: number; event: number; duration: number; ended: boolean } | undefined

  /** The key of a press not heard of before, or nothing. */
  receive(payload: Uint8Array, timestamp: number): { digit: string; durationMs: number } | undefined {
    if (payload.length < PAYLOAD_BYTES) return undefined
    const event = payload[0]!
    const duration = (payload[2]! << 8) | payload[3]!
    const ended = (payload[1]! & END_BIT) !== 0
    const latest = this.#latest
    if (latest) {
      const since = signedDifference(timestamp, latest.timestamp)
      if (since < 0 && since > -LATE_SAMPLES) return undefined
      if (since === 0) {
        latest.duration = Math.max(latest.duration, duration)
        latest.ended ||= ended
        return undefined
      }
      // §2.5.1.3: a press longer than the field can say goes on as a new segment, where the last one filled it
      const segment = event === latest.event && !latest.ended && latest.duration > MAX_DURATION - 480
      if (segment && Math.abs(since - latest.duration) <= 480) {
        this.#latest = { timestamp, event, duration, ended }
        return undefined
      }
    }
    this.#latest = { timestamp, event, duration, ended }
    const digit = DTMF_KEYS[event]
    return digit === undefined ? undefined : { digit, durationMs: duration / 8 } // 16 and up: flash and such
  }
}
