import type { Database } from './database.ts'
import { routine } from './routines.ts'

/**
 * Makes settlements one line of the ledger for each account and day (UTC): what was paid stays, for whom does not. Who folds
 * a day waits for whoever folds the same one at its line; a settlement that another took meanwhile is counted by him.
 */
const foldSettlements = routine(
  'fold_settlements',
  'seqs bigint[]',
  'bigint',
  `
DECLARE
  folded bigint;
BEGIN
  WITH gone AS (DELETE FROM ledger l WHERE l.seq = ANY (seqs) AND l.delivery_id IS NOT NULL RETURNING l.account_id, l.micros, l.at),
  days AS (
    SELECT g.account_id, g.at / 86400000 * 86400000 AS day, sum(g.micros)::bigint AS micros FROM gone g GROUP BY 1, 2)
  INSERT INTO ledger AS l (account_id, kind, micros, note, at, entry_id)
    SELECT d.account_id, 'settle', d.micros, 'settled on ' || to_char(to_timestamp(d.day / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD'), d.day,
      'settled:' || d.account_id || ':' || to_char(to_timestamp(d.day / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')
    FROM days d ORDER BY d.account_id, d.day
    ON CONFLICT (entry_id) DO UPDATE SET micros = l.micros + EXCLUDED.micros;
  GET DIAGNOSTICS folded = ROW_COUNT;
  RETURN folded;
END`,
)

export const foldRoutines = [foldSettlements]

export function makeFoldSettlements(database: Database) {
  const fold = { name: foldSettlements.name, text: `SELECT ${foldSettlements.name}($1)` }
  const before = {
    name: 'settlements before',
    text: `SELECT seq FROM ledger WHERE account_id = $1 AND at < $2 AND delivery_id IS NOT NULL ORDER BY at LIMIT $3`,
  }
  const ofPins = {
    name: 'settlements of pins',
    text: `SELECT l.seq FROM deliveries d JOIN ledger l ON l.account_id = d.account_id AND l.delivery_id = d.delivery_id
      AND l.at IN (SELECT a.ended_at FROM attempts a WHERE a.delivery_seq = d.seq UNION SELECT d.closed_at)
      WHERE d.pin_id = ANY ($1)`,
  }
  const foldRows = async (rows: readonly { seq: number }[]): Promise<number> => {
    if (rows.length > 0) await database.query(fold, [rows.map(({ seq }) => seq)])
    return rows.length
  }
  return {
    /** At most so many of an account's that are older; how many it were. */
    before: async (accountId: string, time: number, most: number): Promise<number> =>
      foldRows(await database.query<{ seq: number }>(before, [accountId, time, most])),
    ofPins: async (pinIds: readonly string[]): Promise<number> =>
      foldRows(await database.query<{ seq: number }>(ofPins, [pinIds])),
  }
}
