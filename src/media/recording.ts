import type { Pcm } from './types.ts'

const FIRST_SAMPLES = 8000 * 4
const MAX_SECONDS = 600

/** What was heard, each packet at its place: gaps are silence, late packets still find theirs. Bounded. */
export class Recording {
  readonly #limit: number
  #sound: Pcm = new Int16Array(0)
  #length = 0

  constructor(maxMs: number) {
    this.#limit = Math.max(0, Math.min(maxMs, MAX_SECONDS * 1000)) * 8
  }

  put(pcm: Pcm, at: number): void {
    if (at < 0 || at >= this.#limit) return
    const piece = pcm.subarray(0, this.#limit - at)
    const end = at + piece.length
    if (end > this.#sound.length) this.#grow(end)
    this.#sound.set(piece, at)
    this.#length = Math.max(this.#length, end)
  }

  get(): Pcm {
    return this.#sound.slice(0, this.#length)
  }

  #grow(needed: number): void {
    const grown = new Int16Array(Math.min(this.#limit, Math.max(needed, this.#sound.length * 2, FIRST_SAMPLES)))
    grown.set(this.#sound)
    this.#sound = grown
  }
}
