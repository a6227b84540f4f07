import type { BeginAttempt, Begun } from '../types.ts'
import { makeBatches } from './batch.ts'
import type { Database } from './database.ts'
import { routine } from './routines.ts'

const RATE_WINDOW_MS = 1000

/**
 * The last gate before a phone rings: the lease must be ours and run still, no other attempt may be open, no outcome may
 * have been told already, and the trunk must have a place. Who begins a call over a trunk holds the trunk's row until the
 * commit, so that all nodes count one after the other.
 */
const beginAttempts = routine(
  'begin_attempts',
  'asked json, again boolean',
  'TABLE (n int, kind text, at_rate_limit boolean)',
  `
DECLARE
  r record;
  d record;
  recent bigint;
BEGIN
  FOR r IN SELECT * FROM json_to_recordset(asked) AS x(n int, attempt text, delivery text, node text, trunk text,
      rate bigint, places bigint, at bigint) ORDER BY (x.rate IS NOT NULL), x.trunk, x.delivery, x.n LOOP
    n := r.n; kind := 'lost'; at_rate_limit := false;
    IF r.rate IS NOT NULL THEN
      PERFORM 1 FROM trunks t WHERE t.trunk = r.trunk FOR UPDATE;
      IF NOT FOUND THEN
        INSERT INTO trunks (trunk) VALUES (r.trunk) ON CONFLICT (trunk) DO NOTHING;
        PERFORM 1 FROM trunks t WHERE t.trunk = r.trunk FOR UPDATE;
      END IF;
    END IF;
    SELECT * INTO d FROM deliveries WHERE delivery_id = r.delivery AND node_id = r.node FOR UPDATE;
    IF NOT FOUND THEN
      RETURN NEXT; CONTINUE;
    END IF;
    IF again AND EXISTS (SELECT 1 FROM attempts a WHERE a.delivery_seq = d.seq AND a.attempt_id = r.attempt AND coalesce(a.ended_at, 0) = 0) THEN
      SELECT count(*) INTO recent FROM trunk_starts s WHERE s.trunk = r.trunk AND s.started_at > r.at - ${RATE_WINDOW_MS};
      kind := 'begun'; at_rate_limit := coalesce(recent >= r.rate, false);
      RETURN NEXT; CONTINUE;
    END IF;
    IF d.state <> 'claimed' OR d.lease_until <= r.at OR d.disposition IS NOT NULL
        OR EXISTS (SELECT 1 FROM attempts a WHERE a.delivery_seq = d.seq AND coalesce(a.ended_at, 0) = 0) THEN
      RETURN NEXT; CONTINUE;
    END IF;
    IF r.rate IS NOT NULL THEN
      -- one far ahead was written by a clock that has since been put right
      DELETE FROM trunk_starts s WHERE s.trunk = r.trunk
        AND (s.started_at <= r.at - ${RATE_WINDOW_MS} OR s.started_at > r.at + ${RATE_WINDOW_MS});
      SELECT count(*) INTO recent FROM trunk_starts s WHERE s.trunk = r.trunk;
      IF recent >= r.rate OR r.places <= (SELECT count(*) FROM attempts a WHERE a.trunk = r.trunk AND a.ended_at IS NULL) THEN
        kind := 'full'; RETURN NEXT; CONTINUE;
      END IF;
      INSERT INTO trunk_starts (trunk, attempt_id, started_at) VALUES (r.trunk, r.attempt, r.at);
      at_rate_limit := recent + 1 >= r.rate;
    END IF;
    INSERT INTO attempts (delivery_seq, attempt_no, attempt_id, trunk, started_at)
      SELECT d.seq, 1 + count(*), r.attempt, r.trunk, r.at FROM attempts a WHERE a.delivery_seq = d.seq;
    kind := 'begun';
    RETURN NEXT;
  END LOOP;
END`,
)

export const beginAttemptRoutines = [beginAttempts]

export function makeBeginAttempt(database: Database): (attempt: BeginAttempt) => Promise<Begun> {
  const begin = { name: beginAttempts.name, text: `SELECT * FROM ${beginAttempts.name}($1, $2)` }
  type Row = { n: number; kind: Begun['kind']; at_rate_limit: boolean }

  return makeBatches<BeginAttempt, Begun>({
    most: 128,
    atOnce: 2,
    async run(attempts) {
      const asked = JSON.stringify(
        attempts.map(({ attemptId, deliveryId, nodeId, trunk, limits, now }, n) => ({
          n,
          attempt: attemptId,
          delivery: deliveryId,
          node: nodeId,
          trunk,
          ...(limits && { rate: limits.callsPerSecond, places: limits.concurrency }),
          at: now,
        })),
      )
      const rows = await database.write((again) => database.once<Row>(begin, [asked, again]))
      const answers: Begun[] = []
      for (const { n, kind, at_rate_limit } of rows) {
        answers[n] = kind === 'begun' ? { kind, atRateLimit: at_rate_limit } : { kind }
      }
      return answers
    },
  })
}
