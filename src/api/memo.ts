import type { Clock } from '../clock.ts'

/** Remembers answers for a short time; when it is full the oldest go first. */
export class Memo<Value> {
  #entries = new Map<string, { value: Value; until: number }>()
  #clock: Pick<Clock, 'monotonic'>
  #ttlMs: number
  #most: number

  constructor(clock: Pick<Clock, 'monotonic'>, limits: { ttlMs: number; most: number }) {
    this.#clock = clock
    this.#ttlMs = limits.ttlMs
    this.#most = limits.most
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    if (entry.until > this.#clock.monotonic()) return entry.value
    this.#entries.delete(key)
    return undefined
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key) // so that it becomes the youngest
    if (this.#entries.size >= this.#most) this.#entries.delete(this.#entries.keys().next().value!)
    this.#entries.set(key, { value, until: this.#clock.monotonic() + this.#ttlMs })
  }

  get size(): number {
    return this.#entries.size
  }
}
