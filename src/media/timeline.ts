import { signedDifference } from './wrap.ts'

/**
 * Where a packet's sound belongs, in samples since the first one. Timestamps say it, as far as they keep time with the
 * wall: a sender that restarts its timestamps, or forgets to run them through a pause, is set to where the sound is now.
 */

const RATE_PER_MS = 8
/** How far timestamps may run ahead of the wall. */
const AHEAD_SAMPLES = 2000 * RATE_PER_MS
/** With no packet for so long, time goes on in silence. */
const PATIENCE_SAMPLES = 200 * RATE_PER_MS
const LATE_IN_A_ROW = 10

export class Timeline {
  /** End of the sound heard so far. */
  head = 0
  #startMs: number | undefined
  #ssrc = 0
  #timestamp = 0
  #position = 0
  #late = 0

  get started(): boolean {
    return this.#startMs !== undefined
  }

  /** The place of `samples` of sound; undefined where the sender runs far faster than time does. */
  place(ssrc: number, timestamp: number, samples: number, nowMs: number): number | undefined {
    if (this.#startMs === undefined) {
      this.#startMs = nowMs
      this.#rebase(ssrc, timestamp, 0)
      return 0
    }
    const wall = this.#wall(nowMs)
    if (this.head > wall + AHEAD_SAMPLES) return undefined
    if (ssrc !== this.#ssrc) return this.#rebase(ssrc, timestamp, Math.max(this.head, wall - PATIENCE_SAMPLES))
    const position = this.#position + signedDifference(timestamp, this.#timestamp)
    if (position > wall + AHEAD_SAMPLES) return this.#rebase(ssrc, timestamp, Math.max(this.head, wall))
    if (position + samples <= this.head) {
      if (++this.#late >= LATE_IN_A_ROW) return this.#rebase(ssrc, timestamp, this.head)
    } else {
      this.#late = 0
      this.#timestamp = timestamp
      this.#position = position
    }
    return position
  }

  /** The place of a moment that carries no sound, a key's first packet. */
  moment(timestamp: number): number {
    return Math.max(0, Math.min(this.#position + signedDifference(timestamp, this.#timestamp), this.head))
  }

  /** How much silence the wall owes the ear by now. */
  silenceDue(nowMs: number): number {
    return this.#startMs === undefined ? 0 : Math.max(0, this.#wall(nowMs) - PATIENCE_SAMPLES - this.head)
  }

  #wall(nowMs: number): number {
    return Math.floor((nowMs - this.#startMs!) * RATE_PER_MS)
  }

  #rebase(ssrc: number, timestamp: number, position: number): number {
    this.#ssrc = ssrc
    this.#timestamp = timestamp
    this.#position = position
    this.#late = 0
    return position
  }
}
