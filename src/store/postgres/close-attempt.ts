import { json } from '../rows.ts'
import type { CloseAttempt, StoredEvent } from '../types.ts'
import { makeBatches } from './batch.ts'
import type { Database } from './database.ts'
import { appendEvents, routine } from './routines.ts'

/**
 * Attempt, money and event together, once: who comes second finds it closed and changes nothing. Deliveries first, in
 * their order, then accounts, then the events' heads: nobody waits in a circle. `late` is for `correct_attempt`.
 */
const closeAttempts = routine(
  'close_attempts',
  'asked json, again boolean',
  'TABLE (n int, answer text, pin_id text, account_id text, seq bigint)',
  `
DECLARE
  r record;
  d record;
  told text;
  charge bigint;
  freed bigint;
  owner record;
  owners text[] := '{}';
  charges bigint[] := '{}';
  frees bigint[] := '{}';
  ns int[] := '{}';
  accounts_of text[] := '{}';
  ats bigint[] := '{}';
  pins_of text[] := '{}';
  deliveries_of text[] := '{}';
  datas text[] := '{}';
  seqs bigint[];
BEGIN
  FOR r IN SELECT * FROM json_to_recordset(asked) AS x(n int, delivery text, node text, attempt text, disposition text,
      evidence text, charge bigint, final boolean, event text, at bigint) ORDER BY x.delivery, x.n LOOP
    n := r.n; answer := 'no'; pin_id := NULL; account_id := NULL; seq := NULL;
    SELECT * INTO d FROM deliveries q WHERE q.delivery_id = r.delivery FOR UPDATE;
    IF NOT FOUND THEN
      RETURN NEXT; CONTINUE;
    END IF;
    IF again AND (CASE WHEN r.attempt IS NULL THEN d.closed_at = r.at AND d.disposition = r.disposition
        ELSE EXISTS (SELECT 1 FROM attempts a WHERE a.delivery_seq = d.seq AND a.attempt_id = r.attempt AND a.ended_at = r.at
          AND a.disposition = coalesce(d.disposition, r.disposition)) END) THEN
      answer := 'yes'; RETURN NEXT; CONTINUE;
    END IF;
    IF d.state <> 'claimed' OR d.node_id <> r.node THEN
      IF r.final AND r.attempt IS NOT NULL AND d.state = 'closed' AND d.disposition = 'abandoned' THEN answer := 'late'; END IF;
      RETURN NEXT; CONTINUE;
    END IF;
    told := coalesce(d.disposition, r.disposition); -- what was told already stays true
    freed := d.reserved_micros - d.charged_micros;
    charge := greatest(0, least(r.charge, freed));
    IF NOT r.final THEN freed := charge; END IF;
    UPDATE attempts a SET ended_at = r.at, disposition = told, evidence = r.evidence, charged_micros = charge
      WHERE a.delivery_seq = d.seq AND coalesce(a.ended_at, 0) = 0 AND (r.attempt IS NULL OR a.attempt_id = r.attempt);
    IF NOT FOUND AND r.attempt IS NOT NULL THEN
      RETURN NEXT; CONTINUE;
    END IF;
    answer := 'yes';
    IF r.final THEN
      UPDATE deliveries q SET state = 'closed', node_id = NULL, lease_until = NULL, disposition = told, evidence = r.evidence,
        closed_at = r.at, charged_micros = q.charged_micros + charge WHERE q.delivery_id = d.delivery_id;
      ns := ns || r.n; accounts_of := accounts_of || d.account_id; ats := ats || r.at; pins_of := pins_of || d.pin_id;
      deliveries_of := deliveries_of || d.delivery_id; datas := datas || r.event;
    ELSIF charge <> 0 THEN
      UPDATE deliveries q SET charged_micros = q.charged_micros + charge WHERE q.delivery_id = d.delivery_id;
    END IF;
    IF freed <> 0 THEN
      owners := owners || d.account_id; charges := charges || charge; frees := frees || freed;
    END IF;
    IF charge <> 0 THEN
      INSERT INTO ledger (account_id, kind, micros, delivery_id, note, at)
        VALUES (d.account_id, 'settle', -charge, d.delivery_id, told, r.at);
    END IF;
    RETURN NEXT;
  END LOOP;
  FOR owner IN SELECT u.id, sum(u.charge)::bigint AS charge, sum(u.freed)::bigint AS freed
      FROM unnest(owners, charges, frees) AS u(id, charge, freed) GROUP BY u.id ORDER BY u.id LOOP
    UPDATE accounts a SET balance_micros = a.balance_micros - owner.charge, reserved_micros = a.reserved_micros - owner.freed
      WHERE a.account_id = owner.id;
  END LOOP;
  IF cardinality(ns) > 0 THEN
    seqs := ${appendEvents.name}(accounts_of, 'delivery.closed', ats, pins_of, deliveries_of, datas);
    answer := 'event';
    FOR i IN 1 .. cardinality(ns) LOOP
      n := ns[i]; pin_id := pins_of[i]; account_id := accounts_of[i]; seq := seqs[i];
      RETURN NEXT;
    END LOOP;
  END IF;
END`,
)

/**
 * The true end of an attempt that was given up: by then its money was freed, so no more is taken than is free now, and than
 * was held back for it then.
 */
const correctAttempt = routine(
  'correct_attempt',
  'delivery text, attempt text, truth text, proof text, asked bigint, event text, ended bigint',
  'TABLE (pin_id text, account_id text, seq bigint)',
  `
DECLARE
  d record;
  free bigint;
  charge bigint;
BEGIN
  SELECT * INTO d FROM deliveries q WHERE q.delivery_id = delivery AND q.state = 'closed' AND q.disposition = 'abandoned' FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  PERFORM 1 FROM attempts a WHERE a.delivery_seq = d.seq AND a.attempt_id = attempt AND a.disposition = 'abandoned';
  IF NOT FOUND THEN RETURN; END IF;
  SELECT a.balance_micros - a.reserved_micros INTO free FROM accounts a WHERE a.account_id = d.account_id FOR UPDATE;
  charge := greatest(0, least(asked, d.reserved_micros - d.charged_micros, free));
  UPDATE attempts a SET ended_at = ended, disposition = truth, evidence = proof, charged_micros = charge
    WHERE a.delivery_seq = d.seq AND a.attempt_id = attempt;
  UPDATE deliveries q SET disposition = truth, evidence = proof, charged_micros = q.charged_micros + charge WHERE q.delivery_id = d.delivery_id;
  IF charge <> 0 THEN
    UPDATE accounts a SET balance_micros = a.balance_micros - charge WHERE a.account_id = d.account_id;
    INSERT INTO ledger (account_id, kind, micros, delivery_id, note, at)
      VALUES (d.account_id, 'settle', -charge, delivery, truth, ended);
  END IF;
  pin_id := d.pin_id; account_id := d.account_id;
  seq := (${appendEvents.name}(ARRAY[d.account_id], 'delivery.corrected', ARRAY[ended], ARRAY[d.pin_id], ARRAY[delivery], ARRAY[event]))[1];
  RETURN NEXT;
END`,
)

export const closeAttemptRoutines = [closeAttempts, correctAttempt]

type Row = { n: number; answer: 'yes' | 'no' | 'late' | 'event'; pin_id: string; account_id: string; seq: number }

export function makeCloseAttempt(
  database: Database,
  tell: (event: StoredEvent) => void,
): (close: CloseAttempt) => Promise<boolean> {
  const closeAll = { name: closeAttempts.name, text: `SELECT * FROM ${closeAttempts.name}($1, $2)` }
  const correct = {
    name: correctAttempt.name,
    text: `SELECT * FROM ${correctAttempt.name}($1, $2, $3, $4, $5, $6, $7)`,
  }
  const attemptNow = {
    name: 'attempt now',
    text: `SELECT 1 FROM deliveries d JOIN attempts a ON a.delivery_seq = d.seq
      WHERE d.delivery_id = $1 AND a.attempt_id = $2 AND a.disposition = $3 AND a.ended_at = $4`,
  }

  const batched = makeBatches<CloseAttempt, 'yes' | 'no' | 'late'>({
    most: 128,
    atOnce: 2,
    async run(closes) {
      const asked = JSON.stringify(closes.map(askedOf))
      const rows = await database.write((again) => database.once<Row>(closeAll, [asked, again]))
      const answers: ('yes' | 'no' | 'late')[] = []
      for (const row of rows) {
        if (row.answer === 'event') tell(eventOf('delivery.closed', closes[row.n], row))
        else answers[row.n] = row.answer
      }
      return answers
    },
  })

  async function correctOne(close: CloseAttempt): Promise<boolean> {
    const { deliveryId, attemptId, disposition, evidence, chargeMicros, event, now } = close
    const isDone = async () => {
      const rows = await database.once(attemptNow, [deliveryId, attemptId, disposition, now])
      return rows.length > 0
    }
    return database.write(async (again) => {
      if (again && (await isDone())) return true
      const values = [deliveryId, attemptId, disposition, json(evidence), chargeMicros, json(event), now]
      const [row] = await database.once<Omit<Row, 'n' | 'answer'>>(correct, values)
      if (row) tell(eventOf('delivery.corrected', close, row))
      return row !== undefined || (again && (await isDone())) // the try of before was committed after we had looked
    })
  }

  return async (close) => {
    const answer = await batched(close)
    return answer === 'late' && close.disposition !== 'abandoned' ? correctOne(close) : answer === 'yes'
  }
}

function askedOf(close: CloseAttempt, n: number) {
  const { deliveryId, nodeId, attemptId, disposition, evidence, chargeMicros, final, event, now } = close
  return {
    n,
    delivery: deliveryId,
    node: nodeId,
    attempt: attemptId ?? null,
    disposition,
    evidence: json(evidence),
    charge: chargeMicros,
    final,
    event: json(event),
    at: now,
  }
}

const eventOf = (
  kind: StoredEvent['kind'],
  { deliveryId, event, now }: CloseAttempt,
  row: { pin_id: string; account_id: string; seq: number },
): StoredEvent => ({
  seq: row.seq,
  accountId: row.account_id,
  kind,
  at: now,
  pinId: row.pin_id,
  deliveryId,
  data: event,
})
