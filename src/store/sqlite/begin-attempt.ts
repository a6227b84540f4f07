import type { BeginAttempt, Begun, TrunkLimits } from '../types.ts'
import type { Database } from './database.ts'

/**
 * The last gate before a phone rings: the lease must be ours and run still, no other attempt may be open, no outcome may
 * have been told already, and the trunk must have room. A start further ahead than a second was written by a clock that
 * has since been put right.
 */
export function prepareBeginAttempt(database: Database): (attempt: BeginAttempt) => Begun {
  const find = database.prepare<{ seq: number; earlier: number }>(`
    SELECT seq, (SELECT count(*) FROM attempts WHERE delivery_seq = seq) AS earlier FROM deliveries
    WHERE delivery_id = ?1 AND node_id = ?2 AND state = 'claimed' AND lease_until > ?3 AND disposition IS NULL
      AND NOT EXISTS (SELECT 1 FROM attempts WHERE delivery_seq = seq AND ended_at IS NULL)`)
  const load = database.prepare<{ up: number; begun: number }>(`
    SELECT
      (SELECT count(*) FROM attempts WHERE trunk = ?1 AND ended_at IS NULL) AS up,
      (SELECT count(*) FROM trunk_starts
        WHERE trunk = ?1 AND started_at > ?2 - 1000 AND started_at <= ?2 + 1000) AS begun`)
  const forgetStarts = database.prepare(`
    DELETE FROM trunk_starts WHERE trunk = ?1 AND (started_at <= ?2 - 1000 OR started_at > ?2 + 1000)`)
  const insertStart = database.prepare('INSERT INTO trunk_starts (trunk, attempt_id, started_at) VALUES (?, ?, ?)')
  const insertAttempt = database.prepare(`
    INSERT INTO attempts (delivery_seq, attempt_no, attempt_id, trunk, started_at) VALUES (?, ?, ?, ?, ?)`)

  /** Takes a place on the trunk. */
  function take(trunk: string, limits: TrunkLimits, attemptId: string, now: number): Begun {
    const { up, begun } = { up: 0, begun: 0, ...load.get(trunk, now) }
    if (up >= limits.concurrency || begun >= limits.callsPerSecond) return { kind: 'full' }
    forgetStarts.run(trunk, now)
    insertStart.run(trunk, attemptId, now)
    return { kind: 'begun', atRateLimit: begun + 1 >= limits.callsPerSecond }
  }

  return ({ attemptId, deliveryId, nodeId, trunk, limits, now }) => {
    const delivery = find.get(deliveryId, nodeId, now)
    if (!delivery) return { kind: 'lost' }
    const begun: Begun = limits ? take(trunk, limits, attemptId, now) : { kind: 'begun', atRateLimit: false }
    if (begun.kind === 'begun') insertAttempt.run(delivery.seq, delivery.earlier + 1, attemptId, trunk, now)
    return begun
  }
}
