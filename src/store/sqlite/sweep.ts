import type { Database } from './database.ts'
import { IDEMPOTENCY_MS } from './idempotency.ts'

/** So many rows are looked at in one queue slot: about a millisecond, so that a sweep of millions holds nobody up. */
const ROWS_PER_SLICE = 2000

/** A place in the walk; undefined at its end. */
export type Cursor = readonly string[] | undefined

/**
 * Walks counters and idempotency records in slices along their keys. They have no index by time, which each of the
 * millions of writes between two sweeps would have to pay for.
 */
export function prepareSweep(database: Database) {
  const counterSlice = database.prepare<{ last: string | null }>(`
    SELECT max(key) AS last FROM (SELECT key FROM counters WHERE key > ? ORDER BY key LIMIT ${ROWS_PER_SLICE})`)
  const removeCounters = database.prepare('DELETE FROM counters WHERE key > ? AND key <= ? AND ends_at <= ?')
  const recordSlice = database.prepare<{ account_id: string; key: string }>(`
    SELECT account_id, key FROM (SELECT account_id, key FROM idempotency WHERE (account_id, key) > (?, ?)
      ORDER BY account_id, key LIMIT ${ROWS_PER_SLICE}) ORDER BY account_id DESC, key DESC LIMIT 1`)
  const removeRecords = database.prepare(`
    DELETE FROM idempotency WHERE (account_id, key) > (?, ?) AND (account_id, key) <= (?, ?) AND created_at <= ?`)
  const removeSessions = database.prepare('DELETE FROM sessions WHERE expires_at <= ?')

  return {
    counters([after = '']: readonly string[], now: number): Cursor {
      const last = counterSlice.get(after)?.last ?? undefined
      if (last === undefined) return undefined
      removeCounters.run(after, last, now)
      return [last]
    },
    idempotency([account = '', key = '']: readonly string[], now: number): Cursor {
      const last = recordSlice.get(account, key)
      if (!last) return undefined
      removeRecords.run(account, key, last.account_id, last.key, now - IDEMPOTENCY_MS)
      return [last.account_id, last.key]
    },
    sessions: (now: number): void => void removeSessions.run(now),
  }
}
