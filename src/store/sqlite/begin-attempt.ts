import type { Database } from './database.ts'

export type BeginAttempt = { attemptId: string; deliveryId: string; nodeId: string; trunk: string; now: number }

/**
 * The last gate before a phone rings: the lease must be ours and run still, no other attempt may be open, and no outcome
 * may have been told already.
 */
export function prepareBeginAttempt(database: Database): (attempt: BeginAttempt) => boolean {
  const insert = database.prepare(`
    INSERT INTO attempts (delivery_seq, attempt_no, attempt_id, trunk, started_at)
    SELECT seq, 1 + (SELECT count(*) FROM attempts WHERE delivery_seq = seq), ?1, ?2, ?3 FROM deliveries
    WHERE delivery_id = ?4 AND node_id = ?5 AND state = 'claimed' AND lease_until > ?3 AND disposition IS NULL
      AND NOT EXISTS (SELECT 1 FROM attempts WHERE delivery_seq = seq AND ended_at IS NULL)`)
  return ({ attemptId, deliveryId, nodeId, trunk, now }) => insert.run(attemptId, trunk, now, deliveryId, nodeId) === 1
}
