import { createHash } from 'node:crypto'

/**
 * A function that lives in the database, so that an operation of several statements is one round trip and its locks last
 * no longer than they must. Its name ends with a digest of its text: programs of two versions can run beside each other
 * during an upgrade, each with its own.
 */
export type Routine = { name: string; create: string }

export function routine(name: string, takes: string, gives: string, body: string, settings = ''): Routine {
  const digest = createHash('sha256').update([takes, gives, body, settings].join('\n')).digest('hex').slice(0, 10)
  const full = `${name}_${digest}`
  const create = `CREATE FUNCTION ${full}(${takes}) RETURNS ${gives} LANGUAGE plpgsql ${settings} AS $body$\n${body}\n$body$`
  return { name: full, create }
}

/** Raised to undo everything that a routine wrote; the caller reads why and tells, or tries with less. */
export const UNDONE = 'PC001'

/** Who writes events holds the account's head until the commit: call it last. `numbers[i]` is the number of event i. */
export const appendEvents = routine(
  'append_events',
  'accounts text[], of_kind text, ats bigint[], pins text[], deliveries text[], datas text[]',
  'bigint[]',
  `
DECLARE
  numbers bigint[] := array_fill(0::bigint, ARRAY[cardinality(accounts)]);
  owner record;
  head bigint;
  i int;
BEGIN
  FOR owner IN SELECT a.id, count(*) AS events FROM unnest(accounts) AS a(id) GROUP BY a.id ORDER BY a.id LOOP
    INSERT INTO event_heads AS h (account_id, seq) VALUES (owner.id, owner.events)
      ON CONFLICT (account_id) DO UPDATE SET seq = h.seq + EXCLUDED.seq RETURNING h.seq INTO head;
    head := head - owner.events;
    FOR i IN 1 .. cardinality(accounts) LOOP
      CONTINUE WHEN accounts[i] <> owner.id;
      head := head + 1;
      numbers[i] := head;
    END LOOP;
  END LOOP;
  INSERT INTO events (account_id, seq, kind, at, pin_id, delivery_id, data)
    SELECT e.account_id, e.seq, of_kind, e.at, e.pin_id, e.delivery_id, e.data
    FROM unnest(accounts, numbers, ats, pins, deliveries, datas) AS e(account_id, seq, at, pin_id, delivery_id, data);
  RETURN numbers;
END`,
)

/**
 * Raises a counter by \`n\` for requests made from \`first\` to \`last\`, or answers false where its limit, or the edge of its
 * window, is between. A window is judged by the limit as it is today, so a changed setting holds at once; a start further
 * ahead than a whole window was written by a clock that has since been put right.
 */
export const raiseCounter = routine(
  'raise_counter',
  'name text, ms bigint, most bigint, n bigint, first bigint, last bigint',
  'boolean',
  `
BEGIN
  IF n > most THEN RETURN false; END IF;
  INSERT INTO counters AS c (key, started_at, ends_at, count) VALUES (name, first, first + ms, n)
    ON CONFLICT (key) DO UPDATE SET
      count = CASE WHEN c.started_at + ms > first AND c.started_at <= first + ms THEN c.count + n ELSE n END,
      started_at = CASE WHEN c.started_at + ms > first AND c.started_at <= first + ms THEN c.started_at ELSE first END,
      ends_at = CASE WHEN c.started_at + ms > first AND c.started_at <= first + ms THEN c.started_at + ms ELSE first + ms END
    WHERE (c.count + n <= most OR NOT (c.started_at + ms > first AND c.started_at <= first + ms))
      AND (c.started_at + ms > first AND c.started_at <= first + ms) = (c.started_at + ms > last AND c.started_at <= last + ms);
  RETURN FOUND;
END`,
)

/**
 * Raises many counters by what a batch needs of each, or undoes everything. Those that are new are made; the rest, which
 * are told by not being of this transaction, are raised, in the order of their keys.
 */
export const raiseTogether = routine(
  'raise_together',
  'raises json',
  'void',
  `
DECLARE
  wanted int := json_array_length(raises);
  made int;
  raised int := 0;
BEGIN
  INSERT INTO counters (key, started_at, ends_at, count)
    SELECT r.key, r.first, r.first + r.ms, r.n
    FROM json_to_recordset(raises) AS r(key text, ms bigint, most bigint, n bigint, first bigint)
    WHERE r.n <= r.most ORDER BY r.key
    ON CONFLICT (key) DO NOTHING;
  GET DIAGNOSTICS made = ROW_COUNT;
  IF made < wanted THEN
    UPDATE counters c SET
      count = CASE WHEN r.first >= c.started_at + r.ms OR r.first < c.started_at - r.ms THEN r.n ELSE c.count + r.n END,
      started_at = CASE WHEN r.first >= c.started_at + r.ms OR r.first < c.started_at - r.ms THEN r.first ELSE c.started_at END,
      ends_at = CASE WHEN r.first >= c.started_at + r.ms OR r.first < c.started_at - r.ms THEN r.first ELSE c.started_at END + r.ms
    FROM (SELECT * FROM json_to_recordset(raises)
      AS x(key text, ms bigint, most bigint, n bigint, first bigint, last bigint) ORDER BY x.key) r
    WHERE c.key = r.key AND c.xmin <> pg_current_xact_id()::xid
      AND r.n + CASE WHEN r.first >= c.started_at + r.ms OR r.first < c.started_at - r.ms THEN 0 ELSE c.count END <= r.most
      AND (r.first >= c.started_at + r.ms OR r.first < c.started_at - r.ms) =
        (r.last >= c.started_at + r.ms OR r.last < c.started_at - r.ms);
    GET DIAGNOSTICS raised = ROW_COUNT;
  END IF;
  IF made + raised < wanted THEN
    RAISE EXCEPTION 'a counter' USING ERRCODE = '${UNDONE}';
  END IF;
END`,
  'SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off',
)

/** How long until a counter may be raised again, ms. */
export const retryAfter = routine(
  'retry_after',
  'name text, ms bigint, at bigint',
  'bigint',
  `
BEGIN
  RETURN greatest(1, coalesce((SELECT c.started_at FROM counters c WHERE c.key = name), at) + ms - at);
END`,
)

/**
 * Raises counters one after the other, given as JSON. Answers NULL, or the name and the wait of the one that must not be
 * raised, and then none is.
 */
export const raiseCounters = routine(
  'raise_counters',
  'counted json, at bigint',
  'json',
  `
DECLARE
  each record;
  refusal json;
BEGIN
  BEGIN
    FOR each IN SELECT * FROM json_to_recordset(counted) AS x(key text, name text, ms bigint, most bigint) LOOP
      IF NOT ${raiseCounter.name}(each.key, each.ms, each.most, 1, at, at) THEN
        refusal := json_build_object('kind', 'limited', 'name', each.name, 'retryAfterMs', ${retryAfter.name}(each.key, each.ms, at));
        RAISE EXCEPTION USING ERRCODE = '${UNDONE}';
      END IF;
    END LOOP;
  EXCEPTION WHEN SQLSTATE '${UNDONE}' THEN
    RETURN refusal;
  END;
  RETURN NULL;
END`,
)
