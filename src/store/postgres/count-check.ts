import type { Numbers } from '../numbers.ts'
import type { CheckResult, CountCheck, StoredEvent } from '../types.ts'
import { makeBatches } from './batch.ts'
import { countedJson, countersOf } from './counted.ts'
import type { Database } from './database.ts'
import { appendEvents, raiseCounter, raiseCounters, raiseTogether, retryAfter, routine, UNDONE } from './routines.ts'

/**
 * Counts guesses at as many PINs together, where every PIN is there and every counter has room for all of them, which is
 * nearly always so; else it undoes everything. Counters are taken in the order of their keys, then PINs, then the events'
 * heads: nobody waits in a circle.
 */
const countTogether = routine(
  'count_together',
  'asked json, raises json',
  'TABLE (n int, kind text, checks_left int, to_sealed text, was_first boolean, limit_name text, retry_ms bigint, seq bigint)',
  `
DECLARE
  ns int[];
  kinds text[];
  lefts int[];
  sealeds text[];
  pin_ids text[];
  accounts text[];
  ats bigint[];
  seqs bigint[];
BEGIN
  PERFORM ${raiseTogether.name}(raises);
  WITH r AS MATERIALIZED (
    SELECT * FROM json_to_recordset(asked) AS x(n int, id bigint, account text, pin text, matches boolean, at bigint)),
  held AS MATERIALIZED (
    SELECT q.pin_id, q.account_id, q.to_sealed, q.expires_at, q.max_checks - q.checks AS left, q.allow_multiple, q.verified_at,
      q.checked_by
    FROM pins q WHERE q.pin_id IN (SELECT r.pin FROM r) ORDER BY q.pin_id FOR UPDATE),
  judged AS MATERIALIZED (
    SELECT r.n, r.id, r.account, r.pin, r.at, r.matches, h.to_sealed, h.left,
      CASE WHEN h.expires_at <= r.at THEN 'expired' WHEN h.verified_at IS NOT NULL AND h.allow_multiple = 0 THEN 'used'
        WHEN h.left < 1 THEN 'exhausted' WHEN NOT r.matches THEN 'wrong' WHEN h.verified_at IS NOT NULL THEN 'right'
        ELSE 'first' END AS kind
    FROM r JOIN held h ON h.pin_id = r.pin AND h.account_id = r.account
    WHERE NOT coalesce(r.id = ANY (h.checked_by), false)), -- else a later try of the same was done before this one
  counted AS (
    UPDATE pins p SET checks = p.checks + 1, checked_by = array_append(p.checked_by, j.id),
      verified_at = CASE WHEN j.matches THEN j.at ELSE p.verified_at END
    FROM judged j WHERE p.pin_id = j.pin AND j.kind IN ('wrong', 'first'))
  SELECT array_agg(j.n), array_agg(j.kind), array_agg(CASE WHEN j.kind = 'wrong' THEN j.left - 1 ELSE j.left END),
      array_agg(j.to_sealed), array_agg(j.pin) FILTER (WHERE j.kind = 'first'),
      array_agg(j.account) FILTER (WHERE j.kind = 'first'), array_agg(j.at) FILTER (WHERE j.kind = 'first')
    INTO ns, kinds, lefts, sealeds, pin_ids, accounts, ats FROM judged j;
  IF coalesce(cardinality(ns), 0) < json_array_length(asked) THEN
    RAISE EXCEPTION 'a PIN' USING ERRCODE = '${UNDONE}';
  END IF;
  RETURN QUERY SELECT u.n, CASE WHEN u.kind = 'first' THEN 'right' ELSE u.kind END, u.checks_left, u.to_sealed, u.kind = 'first',
    NULL::text, NULL::bigint, NULL::bigint FROM unnest(ns, kinds, lefts, sealeds) AS u(n, kind, checks_left, to_sealed);
  IF pin_ids IS NOT NULL THEN
    seqs := ${appendEvents.name}(accounts, 'pin.verified', ats, pin_ids, array_fill(NULL::text, ARRAY[cardinality(pin_ids)]),
      array_fill('{}'::text, ARRAY[cardinality(pin_ids)]));
    ns := ARRAY(SELECT u.n FROM unnest(ns, kinds) WITH ORDINALITY AS u(n, kind, i) WHERE u.kind = 'first' ORDER BY u.i);
    RETURN QUERY SELECT u.n, 'event', NULL::int, NULL::text, NULL::boolean, NULL::text, NULL::bigint, u.seq
      FROM unnest(ns, seqs) AS u(n, seq);
  END IF;
END`,
  'SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off',
)

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
  twice boolean;
  ns int[] := '{}';
  accounts text[] := '{}';
  ats bigint[] := '{}';
  pin_ids text[] := '{}';
  seqs bigint[];
BEGIN
  FOR r IN SELECT * FROM json_to_recordset(asked) AS x(n int, id bigint, account text, pin text, matches boolean, at bigint,
      key text, name text, ms bigint, most bigint, more json) ORDER BY x.key, x.pin, x.n LOOP
    n := r.n; kind := NULL; checks_left := NULL; to_sealed := NULL; was_first := NULL; limit_name := NULL; retry_ms := NULL; seq := NULL;
    SELECT q.to_sealed, q.checked_by, q.max_checks, q.checks INTO p FROM pins q
      WHERE q.pin_id = r.pin AND q.account_id = r.account;
    IF NOT FOUND THEN
      kind := 'not_found'; RETURN NEXT; CONTINUE;
    END IF;
    to_sealed := p.to_sealed;
    twice := r.id = ANY (p.checked_by);
    IF NOT coalesce(twice, false) THEN
      IF r.more IS NOT NULL THEN
        refusal := ${raiseCounters.name}(r.more, r.at);
        IF refusal IS NOT NULL THEN
          kind := 'limited'; limit_name := refusal->>'name'; retry_ms := refusal->>'retryAfterMs';
        END IF;
      ELSIF r.key IS NOT NULL AND NOT ${raiseCounter.name}(r.key, r.ms, r.most, 1, r.at, r.at) THEN
        kind := 'limited'; limit_name := r.name; retry_ms := ${retryAfter.name}(r.key, r.ms, r.at);
      END IF;
      IF kind = 'limited' AND NOT again THEN
        RETURN NEXT; CONTINUE;
      END IF;
      -- Another try of the same check, given up by us and not by the server, may have been committed meanwhile.
      SELECT q.expires_at, q.max_checks, q.checks, q.allow_multiple, q.verified_at, q.checked_by INTO p FROM pins q
        WHERE q.pin_id = r.pin FOR UPDATE;
      twice := r.id = ANY (p.checked_by);
      IF twice AND kind IS NULL AND r.key IS NOT NULL THEN -- raised by both
        UPDATE counters SET count = count - 1 WHERE key = r.key
          OR key IN (SELECT x.key FROM json_to_recordset(r.more) AS x(key text));
      ELSIF kind = 'limited' AND NOT coalesce(twice, false) THEN
        RETURN NEXT; CONTINUE;
      END IF;
    END IF;
    checks_left := p.max_checks - p.checks;
    IF twice THEN
      kind := CASE WHEN r.matches THEN 'right' ELSE 'wrong' END;
      was_first := r.matches; limit_name := NULL; retry_ms := NULL;
    ELSIF p.max_checks IS NULL THEN
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

export const countCheckRoutines = [countTogether, countChecks]

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
  const all = { name: countTogether.name, text: `SELECT * FROM ${countTogether.name}($1, $2)` }
  const count = { name: countChecks.name, text: `SELECT * FROM ${countChecks.name}($1, $2)` }

  type Asked = CountCheck & { id: number }

  async function together(checks: readonly Asked[]): Promise<Row[]> {
    const asked = checks.map(({ id, accountId, pinId, matches, now }, n) => ({
      n,
      id,
      account: accountId,
      pin: pinId,
      matches,
      at: now,
    }))
    try {
      return await database.once<Row>(all, [JSON.stringify(asked), JSON.stringify(countersOf(checks, numbers))])
    } catch (error) {
      if ((error as { code?: unknown }).code !== UNDONE) throw error
      return oneByOne(checks, false) // one of them is limited, or there is no such PIN
    }
  }

  async function oneByOne(checks: readonly Asked[], again: boolean): Promise<Row[]> {
    const asked = JSON.stringify(checks.map((check, n) => ({ n, ...askedOf(check, numbers) })))
    try {
      return await database.once<Row>(count, [asked, again])
    } catch (error) {
      if ((error as { code?: unknown }).code !== UNDONE) throw error
      return database.once<Row>(count, [asked, true]) // another try of the same has been done by now: its answer is read
    }
  }

  async function run(checks: readonly Asked[]): Promise<CheckResult[]> {
    const rows = await database.write((again) => (again ? oneByOne(checks, again) : together(checks)))
    const answers: CheckResult[] = []
    for (const row of rows) {
      const check = checks[row.n]
      if (row.kind === 'event') tell(verified(check, row.seq))
      else answers[row.n] = resultOf(row, row.kind, check, numbers)
    }
    return answers
  }

  const batched = makeBatches<Asked, CheckResult>({ most: 128, atOnce: 2, tagsOf, run })
  return (check) => batched({ ...check, id: random.int(2 ** 32) * 2 ** 20 + random.int(2 ** 20) })
}

/** One guess at a PIN a batch, and one limit a counter. */
function* tagsOf({ id, pinId, counted }: CountCheck & { id: number }): Iterable<readonly [string, string]> {
  yield [`pin ${pinId}`, String(id)]
  for (const { key, number, windowMs, count } of counted) yield [`${key}:${number ?? ''}`, `${count}/${windowMs}`]
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
