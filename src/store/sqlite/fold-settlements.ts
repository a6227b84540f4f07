import type { Database } from './database.ts'

/** Makes settlements one line of the ledger for each account and day (UTC): what was paid stays, for whom does not. */
export function prepareFoldSettlements(database: Database) {
  const sum = database.prepare(`
    INSERT INTO ledger (account_id, kind, micros, note, at, entry_id)
      SELECT account_id, 'settle', sum(micros), 'settled on ' || date(at / 1000, 'unixepoch'), at / 86400000 * 86400000,
        'settled:' || account_id || ':' || date(at / 1000, 'unixepoch')
      FROM ledger WHERE seq IN (SELECT value FROM json_each(?)) GROUP BY account_id, at / 86400000
    ON CONFLICT (entry_id) WHERE entry_id IS NOT NULL DO UPDATE SET micros = micros + excluded.micros`)
  const remove = database.prepare('DELETE FROM ledger WHERE seq IN (SELECT value FROM json_each(?))')
  const before = database.prepare<{ seq: number }>(`
    SELECT seq FROM ledger INDEXED BY ledger_of_deliveries
    WHERE account_id = ? AND at < ? AND delivery_id IS NOT NULL ORDER BY at LIMIT ?`)
  // a settlement has the time at which its attempt, or its delivery, ended
  const ofPins = database.prepare<{ seq: number }>(`
    SELECT l.seq FROM deliveries d CROSS JOIN ledger l INDEXED BY ledger_of_deliveries
    ON l.account_id = d.account_id AND l.delivery_id = d.delivery_id AND l.delivery_id IS NOT NULL
      AND l.at IN (SELECT ended_at FROM attempts WHERE delivery_seq = d.seq UNION SELECT d.closed_at)
    WHERE d.pin_id IN (SELECT value FROM json_each(?))`)

  function fold(rows: readonly { seq: number }[]): number {
    if (rows.length === 0) return 0
    const seqs = JSON.stringify(rows.map(({ seq }) => seq))
    sum.run(seqs)
    remove.run(seqs)
    return rows.length
  }

  return {
    /** At most so many of an account's that are older; how many it were. */
    before: (accountId: string, time: number, most: number): number => fold(before.all(accountId, time, most)),
    ofPins: (pinIds: readonly string[]): number => fold(ofPins.all(JSON.stringify(pinIds))),
  }
}
