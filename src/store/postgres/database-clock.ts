import type { Clock } from '../../clock.ts'

/** The database's clock is asked so often while there is anything to ask anyway. */
const ASK_EVERY_MS = 30_000
/** An answer that took longer than the best one so far by this tells less than what is known. */
const SLOWER_MS = 20

export type DatabaseClock = Clock & {
  /** Asks where it was not asked for a while. */
  follow(): Promise<void>
}

/**
 * A clock whose wall time is the database's, so that all nodes have the same whatever their own clocks say: its time at an
 * answer, less half the way, and from there on by this machine's monotonic clock. `ask` gives the database's time, ms.
 */
export async function followDatabase(local: Clock, ask: () => Promise<number>): Promise<DatabaseClock> {
  let aheadMs = 0 // of the monotonic clock
  let bestMs = Number.POSITIVE_INFINITY
  let askedAt = Number.NEGATIVE_INFINITY

  async function measure(): Promise<void> {
    const begun = local.monotonic()
    const time = await ask()
    const tookMs = local.monotonic() - begun
    if (tookMs > bestMs + SLOWER_MS) {
      bestMs += 1 // a way that has become longer for good is taken in the end
      return
    }
    bestMs = Math.min(bestMs + 1, tookMs)
    aheadMs = time + tookMs / 2 - local.monotonic()
    askedAt = local.monotonic()
  }

  for (let i = 0; i < 3; i++) await measure()
  return {
    now: () => Math.round(aheadMs + local.monotonic()),
    monotonic: local.monotonic,
    after: local.after,
    wait: local.wait,
    async follow() {
      if (local.monotonic() - askedAt >= ASK_EVERY_MS) await measure()
    },
  }
}
