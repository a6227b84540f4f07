import type { Clock } from '../clock.ts'
import { isUnavailable } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Random } from '../random.ts'

/** Before the second, third … try; the last again and again. Half of it is chance: nodes do not come back all at once. */
const WAITS_MS = [250, 500, 1000, 2000, 4000]

/**
 * Writes what must not be lost because the database was away for a minute: tries again while it can not be used. Rejects
 * with what the last try said once `giveUp` is aborted; the first try is made in any case.
 */
export async function persist<Result>(
  deps: { clock: Clock; random: Random; log: Log },
  what: { deliveryId: string; what: string },
  giveUp: AbortSignal,
  write: () => Promise<Result>,
): Promise<Result> {
  for (let tries = 0; ; tries++) {
    try {
      return await write()
    } catch (error) {
      if (!isUnavailable(error) || giveUp.aborted) throw error
      if (tries === 0) deps.log.warn(what, 'the database is away: this is written as soon as it is back')
      const ms = WAITS_MS[Math.min(tries, WAITS_MS.length - 1)]
      await deps.clock.wait(ms / 2 + deps.random.int(ms / 2), giveUp).catch(() => {
        throw error
      })
    }
  }
}
