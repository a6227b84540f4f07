import type { Random } from '../random.ts'

/** Even UDP ports, in a circle from a random place: a port just freed is used again last. RFC 3550 §11. */
export class PortCircle {
  readonly #ports: number[] = []
  readonly #taken = new Set<number>()
  #next: number

  /** `share` of `shares`: several workers divide the range between them. */
  constructor(range: { from: number; to: number }, share: number, shares: number, random: Random) {
    const first = range.from + (range.from % 2)
    // the odd port above belongs to the even one (RTCP), so it must lie in the range too
    for (let port = first + 2 * share; port + 1 <= range.to; port += 2 * shares) this.#ports.push(port)
    this.#next = this.#ports.length > 0 ? random.int(this.#ports.length) : 0
  }

  get size(): number {
    return this.#ports.length
  }

  take(): number | undefined {
    for (let tried = 0; tried < this.#ports.length; tried++) {
      const port = this.#ports[this.#next]!
      this.#next = (this.#next + 1) % this.#ports.length
      if (this.#taken.has(port)) continue
      this.#taken.add(port)
      return port
    }
    return undefined
  }

  free(port: number): void {
    this.#taken.delete(port)
  }
}
