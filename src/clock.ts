/** Time as an argument: a test turns a clock by hand, the program uses the machine's. */
export type Timer = { cancel(): void }

export type Clock = {
  /** Wall-clock time, milliseconds since 1970. */
  now(): number
  /** Milliseconds since an arbitrary start, never going back: for measuring how long something took. */
  monotonic(): number
  /** Calls `run` once after `ms` milliseconds unless cancelled before. */
  after(ms: number, run: () => void): Timer
  /** Resolves after `ms` milliseconds; rejects with the signal's reason where it is aborted before. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
}

function waitOn(clock: Pick<Clock, 'after'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const handle = setTimeout(run, ms)
    return { cancel: () => clearTimeout(handle) }
  },
  wait: (ms, signal) => waitOn(systemClock, ms, signal),
}

/** A clock that moves only when told to; timers fire in order of their time, ties in order of their making. */
export class ManualClock implements Clock {
  #now: number
  #elapsed = 0
  #timers: { at: number; run: () => void }[] = []

  constructor(startMs = 1_764_000_000_000) {
    this.#now = startMs
  }

  now = () => this.#now
  monotonic = () => this.#elapsed

  after = (ms: number, run: () => void): Timer => {
    const timer = { at: this.#elapsed + Math.max(0, ms), run }
    const index = this.#timers.findIndex((other) => other.at > timer.at)
    if (index === -1) this.#timers.push(timer)
    else this.#timers.splice(index, 0, timer)
    return {
      cancel: () => {
        const place = this.#timers.indexOf(timer)
        if (place !== -1) this.#timers.splice(place, 1)
      },
    }
  }

  wait = (ms: number, signal?: AbortSignal): Promise<void> => waitOn(this, ms, signal)

  /** How many timers are set: a test can see that nothing was left running. */
  get pending(): number {
    return this.#timers.length
  }

  /** Moves time on by `ms`, firing what falls due on the way, with promises settled between two timers. */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsed + ms
    await settle()
    for (let next = this.#timers[0]; next && next.at <= until; next = this.#timers[0]) {
      this.#timers.shift()
      this.#now += next.at - this.#elapsed
      this.#elapsed = next.at
      next.run()
      await settle()
    }
    this.#now += until - this.#elapsed
    this.#elapsed = until
  }

  /** Sets the wall clock off by `ms` without letting time pass, as an operator or NTP would. */
  jump(ms: number): void {
    this.#now += ms
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
