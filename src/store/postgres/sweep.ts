import { IDEMPOTENCY_MS } from '../limits.ts'
import type { Database } from './database.ts'

const ROWS_PER_SLICE = 5000

/**
 * Walks counters and idempotency records in slices along their keys. They have no index by time, which each of the
 * millions of writes between two sweeps would have to pay for.
 */
export function makeSweep(database: Database): (now: number) => Promise<void> {
  const counters = {
    name: 'sweep counters',
    text: `
      WITH slice AS (SELECT key FROM counters WHERE key > $1 ORDER BY key LIMIT ${ROWS_PER_SLICE}),
      gone AS (DELETE FROM counters WHERE key IN (SELECT key FROM slice) AND ends_at <= $2)
      SELECT max(key) AS key FROM slice`,
  }
  const records = {
    name: 'sweep idempotency',
    text: `
      WITH slice AS (SELECT account_id, key FROM idempotency WHERE (account_id, key) > ($1, $2)
        ORDER BY account_id, key LIMIT ${ROWS_PER_SLICE}),
      gone AS (DELETE FROM idempotency i USING slice s
        WHERE i.account_id = s.account_id AND i.key = s.key AND i.created_at <= $3)
      SELECT account_id, key FROM slice ORDER BY account_id DESC, key DESC LIMIT 1`,
  }
  const sessions = { name: 'sweep sessions', text: 'DELETE FROM sessions WHERE expires_at <= $1' }

  return async (now) => {
    for (let key: string | null = ''; key !== null; ) {
      const [row]: { key: string | null }[] = await database.query(counters, [key, now])
      key = row.key
    }
    for (let at: { account_id: string; key: string } | undefined = { account_id: '', key: '' }; at; ) {
      const rows: { account_id: string; key: string }[] = await database.query(records, [
        at.account_id,
        at.key,
        now - IDEMPOTENCY_MS,
      ])
      at = rows[0]
    }
    await database.query(sessions, [now])
  }
}
