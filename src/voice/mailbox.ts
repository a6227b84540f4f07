import type { Clock } from '../clock.ts'

/** Facts in the order they happened, read one at a time by one reader who may give up after a while. */
export class Mailbox<T> {
  #clock: Clock
  #facts: T[] = []
  #reader: ((fact: T | undefined) => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  put(fact: T): void {
    if (this.#reader) this.#reader(fact)
    else this.#facts.push(fact)
  }

  /** The next fact, or undefined where none came within `ms`. */
  take(ms: number): Promise<T | undefined> {
    const fact = this.#facts.shift()
    if (fact !== undefined) return Promise.resolve(fact)
    if (ms <= 0) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const timer = this.#clock.after(ms, () => this.#reader?.(undefined))
      this.#reader = (next) => {
        timer.cancel()
        this.#reader = undefined
        resolve(next)
      }
    })
  }
}
