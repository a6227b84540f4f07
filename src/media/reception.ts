import { signedDifference } from './wrap.ts'

/** How well a source is received: RFC 3550 §A.1 (sequence numbers), §A.3 (loss), §A.8 (jitter). */

const MAX_DROPOUT = 3000
const SEQUENCES = 0x10000

export class Reception {
  received = 0
  #lostBefore = 0
  #base = 0
  #highest = 0
  #receivedSinceBase = 0
  #jitter = 0
  #transit: number | undefined
  #ssrc: number | undefined

  /**
   * Notes a packet; a new SSRC, or a leap in the numbers, is a source that started afresh. No time is given where the
   * timestamp is not that of the sending (a key's packets all carry its start).
   */
  note(packet: { ssrc: number; sequence: number; timestamp: number }, nowMs: number | undefined): void {
    this.received++
    const ahead = (packet.sequence - this.#highest) & (SEQUENCES - 1)
    const late = ahead > SEQUENCES / 2
    const leap = late ? SEQUENCES - ahead > MAX_DROPOUT : ahead > MAX_DROPOUT
    if (packet.ssrc !== this.#ssrc || leap) this.#restart(packet)
    else if (!late) this.#highest += ahead
    this.#receivedSinceBase++
    if (nowMs !== undefined) this.#noteJitter(packet.timestamp, nowMs)
  }

  get lost(): number {
    return this.#lostBefore + this.#lostSinceBase()
  }

  get jitterMs(): number {
    return this.#jitter / 8
  }

  #lostSinceBase(): number {
    if (this.#ssrc === undefined) return 0
    return Math.max(0, this.#highest - this.#base + 1 - this.#receivedSinceBase) // doubled packets make it negative
  }

  #restart(packet: { ssrc: number; sequence: number }): void {
    this.#lostBefore += this.#lostSinceBase()
    this.#ssrc = packet.ssrc
    this.#base = packet.sequence
    this.#highest = packet.sequence
    this.#receivedSinceBase = 0
    this.#transit = undefined
  }

  #noteJitter(timestamp: number, nowMs: number): void {
    const transit = signedDifference(Math.floor(nowMs * 8), timestamp)
    if (this.#transit !== undefined) {
      this.#jitter += (Math.abs(signedDifference(transit, this.#transit)) - this.#jitter) / 16
    }
    this.#transit = transit
  }
}
