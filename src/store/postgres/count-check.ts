import type { Numbers } from '../numbers.ts'
import type { CheckResult, CountCheck, StoredEvent } from '../types.ts'
import { makeBatches } from './batch.ts'
import { countedJson } from './counted.ts'
import type { Database } from './database.ts'
import { appendEvents, raiseCounter, raiseCounters, retryAfter, routine } from './routines.ts'

/**
 * Counts guesses one after the other, each seeing what those before it did. The row of a PIN is held from its count to the
 * commit, so that one of many racing right guesses is the first. Counters are taken in the order of their keys, then PINs,
 * then the events' heads: nobody waits in a circle.
 */
const countChecks = routine(
  'count_checks',
  'asked json, again boolean',
  'TABLE (n int, kind text, checks_left int, to_sealed text, was_first boolean, limit_name text, retry_ms bigint, seq bigint)',
  `
DECLARE
  r record;
  p record;
  refusal json;
  ns int[] := '{}';
  accounts text[] := '{}';
  ats bigint[] := '{}';
  pin_ids text[] := '{}';
  seqs bigint[];
BEGIN
  FOR r IN SELECT * FROM json_to_recordset(asked) AS x(n int, id bigint, account text, pin text, matches boolean, at bigint,
      key text, name text, ms bigint, most bigint, more json) ORDER BY x.key, x.pin, x.n LOOP
    n := r.n; kind := NULL; checks_left := NULL; to_sealed := NULL; was_first := NULL; limit_name := NULL; retry_ms := NULL; seq := NULL;
    SELECT q.to_sealed, q.checked_by, q.max_checks, q.checks, q.expires_at INTO p FROM pins q
      WHERE q.pin_id = r.pin AND q.account_id = r.account;
    IF NOT FOUND THEN
      kind := 'not_found'; RETURN NEXT; CONTINUE;
    END IF;
    to_sealed := p.to_sealed;
    IF again AND r.id = ANY (p.checked_by) THEN
      kind := CASE WHEN r.matches THEN 'right' ELSE 'wrong' END;
      was_first := r.matches; checks_left := p.max_checks - p.checks;
      RETURN NEXT; CONTINUE;
    END IF;
    IF r.more IS NOT NULL THEN
      refusal := ${raiseCounters.name}(r.more, r.at);
      IF refusal IS NOT NULL THEN
        kind := 'limited'; limit_name := refusal->>'name'; retry_ms := refusal->>'retryAfterMs';
        RETURN NEXT; CONTINUE;
      END IF;
    ELSIF r.key IS NOT NULL AND NOT ${raiseCounter.name}(r.key, r.ms, r.most, 1, r.at, r.at) THEN
      kind := 'limited'; limit_name := r.name; retry_ms := ${retryAfter.name}(r.key, r.ms, r.at);
      RETURN NEXT; CONTINUE;
    END IF;
    SELECT q.expires_at, q.max_checks, q.checks, q.allow_multiple, q.verified_at INTO p FROM pins q
      WHERE q.pin_id = r.pin FOR UPDATE;
    checks_left := p.max_checks - p.checks;
    IF NOT FOUND THEN
      kind := 'not_found';
    ELSIF p.expires_at <= r.at THEN
      kind := 'expired';
    ELSIF p.verified_at IS NOT NULL AND p.allow_multiple = 0 THEN
      kind := 'used';
    ELSIF checks_left < 1 THEN
      kind := 'exhausted';
    ELSIF NOT r.matches THEN
      UPDATE pins SET checks = pins.checks + 1, checked_by = array_append(checked_by, r.id) WHERE pin_id = r.pin;
      kind := 'wrong'; checks_left := checks_left - 1;
    ELSIF p.verified_at IS NOT NULL THEN
      kind := 'right'; was_first := false;
    ELSE
      UPDATE pins SET checks = pins.checks + 1, checked_by = array_append(checked_by, r.id), verified_at = r.at
        WHERE pin_id = r.pin;
      kind := 'right'; was_first := true;
      ns := ns || r.n; accounts := accounts || r.account; ats := ats || r.at; pin_ids := pin_ids || r.pin;
    END IF;
    RETURN NEXT;
  END LOOP;
  IF cardinality(ns) > 0 THEN
    seqs := ${appendEvents.name}(accounts, 'pin.verified', ats, pin_ids, array_fill(NULL::text, ARRAY[cardinality(ns)]),
      array_fill('{}'::text, ARRAY[cardinality(ns)]));
    kind := 'event'; checks_left := NULL; to_sealed := NULL; was_first := NULL; limit_name := NULL; retry_ms := NULL;
    FOR i IN 1 .. cardinality(ns) LOOP
      n := ns[i]; seq := seqs[i];
      RETURN NEXT;
    END LOOP;
  END IF;
END`,
)

export const countCheckRoutines = [countChecks]

type Row = {
  n: number
  kind: CheckResult['kind'] | 'event'
  checks_left: number
  to_sealed: string
  was_first: boolean
  limit_name: string
  retry_ms: number
  seq: number
}

export function makeCountCheck(
  database: Database,
  numbers: Numbers,
  random: { int(below: number): number },
  tell: (event: StoredEvent) => void,
): (check: CountCheck) => Promise<CheckResult> {
  const count = { name: countChecks.name, text: `SELECT * FROM ${countChecks.name}($1, $2)` }

  async function run(checks: readonly (CountCheck & { id: number })[]): Promise<CheckResult[]> {
    const asked = JSON.stringify(checks.map((check, n) => ({ n, ...askedOf(check, numbers) })))
    const rows = await database.write((again) => database.once<Row>(count, [asked, again]))
    const answers: CheckResult[] = []
    for (const row of rows) {
      const check = checks[row.n]
      if (row.kind === 'event') tell(verified(check, row.seq))
      else answers[row.n] = resultOf(row, row.kind, check, numbers)
    }
    return answers
  }

  const batched = makeBatches<CountCheck & { id: number }, CheckResult>({ most: 128, atOnce: 2, run })
  return (check) => batched({ ...check, id: random.int(2 ** 32) * 2 ** 20 + random.int(2 ** 20) })
}

function askedOf({ id, accountId, pinId, matches, counted, now }: CountCheck & { id: number }, numbers: Numbers) {
  const common = { id, account: accountId, pin: pinId, matches, at: now }
  const [first, ...others] = countedJson(counted, numbers)
  if (first === undefined) return common
  return others.length === 0 ? { ...common, ...first } : { ...common, key: first.key, more: [first, ...others] }
}

const verified = ({ accountId, pinId, now }: CountCheck, seq: number): StoredEvent => ({
  seq,
  accountId,
  kind: 'pin.verified',
  at: now,
  pinId,
  data: {},
})

function resultOf(row: Row, kind: CheckResult['kind'], { pinId }: CountCheck, numbers: Numbers): CheckResult {
  if (kind === 'not_found') return { kind }
  if (kind === 'limited') return { kind, name: row.limit_name, retryAfterMs: row.retry_ms }
  const to = numbers.open(row.to_sealed, pinId)
  if (kind === 'right') return { kind, first: row.was_first, to }
  if (kind === 'expired' || kind === 'wrong') return { kind, checksLeft: row.checks_left, to }
  return { kind, to }
}
