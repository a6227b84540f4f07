import { IDEMPOTENCY_MS } from '../limits.ts'
import type { Database } from './database.ts'
import { prepareWalkKeys } from './walk-keys.ts'
import type { WriteQueue } from './write-queue.ts'

/** Removes what is over by itself, slice by slice, with everybody else's writes between. */
export function prepareSweep(database: Database, queue: WriteQueue): (now: number) => Promise<void> {
  const walk = prepareWalkKeys(database, queue)
  const removeCounters = database.prepare('DELETE FROM counters WHERE key > ? AND key <= ? AND ends_at <= ?')
  const removeRecords = database.prepare(`
    DELETE FROM idempotency WHERE (account_id, key) > (?, ?) AND (account_id, key) <= (?, ?) AND created_at <= ?`)
  const removeSessions = database.prepare('DELETE FROM sessions WHERE expires_at <= ?')

  return async (now) => {
    await walk.counters((after, last) => removeCounters.run(...after, ...last, now))
    await walk.idempotency((after, last) => removeRecords.run(...after, ...last, now - IDEMPOTENCY_MS))
    await queue.write(() => removeSessions.run(now))
  }
}
