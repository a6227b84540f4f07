import { PincallError } from '../../errors.ts'
import { IDEMPOTENCY_MS } from '../limits.ts'
import type { Numbers } from '../numbers.ts'
import { json } from '../rows.ts'
import type { Admission, AdmitSend } from '../types.ts'
import { makeBatches } from './batch.ts'
import { counterKey, countersOf } from './counted.ts'
import type { Database } from './database.ts'
import { plan, type Standing } from './plan-sends.ts'
import { raiseTogether, routine, UNDONE } from './routines.ts'

/** All of a batch or nothing: whatever does not fit raises, and the caller finds out what, and asks again for less. */
const admitSends = routine(
  'admit_sends',
  'sends json, raises json, reserves json, keys json',
  'void',
  `
DECLARE
  r record;
  wanted int;
  written int;
BEGIN
  PERFORM ${raiseTogether.name}(raises);
  FOR r IN SELECT * FROM json_to_recordset(reserves) AS x(account text, micros bigint) ORDER BY account LOOP
    UPDATE accounts SET reserved_micros = reserved_micros + r.micros
      WHERE account_id = r.account AND balance_micros - reserved_micros >= r.micros;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'a balance' USING ERRCODE = '${UNDONE}';
    END IF;
  END LOOP;
  IF keys IS NOT NULL THEN
    INSERT INTO idempotency AS i (account_id, key, fingerprint, pin_id, delivery_id, created_at)
      SELECT * FROM json_to_recordset(keys)
        AS x(account text, key text, fingerprint text, pin text, delivery text, at bigint) ORDER BY account, key
      ON CONFLICT (account_id, key) DO UPDATE SET fingerprint = EXCLUDED.fingerprint, pin_id = EXCLUDED.pin_id,
        delivery_id = EXCLUDED.delivery_id, created_at = EXCLUDED.created_at
      WHERE i.created_at <= EXCLUDED.created_at - ${IDEMPOTENCY_MS};
    GET DIAGNOSTICS written = ROW_COUNT;
    SELECT json_array_length(keys) INTO wanted;
    IF written < wanted THEN
      RAISE EXCEPTION 'a key' USING ERRCODE = '${UNDONE}';
    END IF;
  END IF;
  WITH x AS MATERIALIZED (
    SELECT * FROM json_to_recordset(sends) AS x(pin text, account text, application text, template text, code_key text, sealed text,
      hash text, type text, length int, made bigint, expires bigint, checks int, multiple smallint, filled text,
      delivery text, channel text, at bigint, micros bigint, sender text, placeholders text)),
  new_pins AS (
    INSERT INTO pins (pin_id, account_id, application_id, template_id, code_key_id, to_sealed, to_hash, pin_type, pin_length,
      created_at, expires_at, max_checks, allow_multiple, placeholders)
    SELECT pin, account, application, template, code_key, sealed, hash, type, length, made, expires, checks, multiple, filled FROM x)
  INSERT INTO deliveries (delivery_id, pin_id, account_id, channel, created_at, reserved_micros, sender, placeholders)
    SELECT delivery, pin, account, channel, at, micros, sender, placeholders FROM x;
END`,
)

export const admitSendRoutines = [admitSends]

const MOST_PER_BATCH = 256
const UNIQUE_VIOLATION = '23505'
/** Each round without success is somebody else's success on the same counter or balance. */
const MOST_ROUNDS = 100

type Send = AdmitSend & { row: Record<string, unknown> }

/** Sends of one node go to the database in batches; a refused one leaves nothing behind, and takes nobody with it. */
export function makeAdmitSend(database: Database, numbers: Numbers): (send: AdmitSend) => Promise<Admission> {
  const write = { name: admitSends.name, text: `SELECT ${admitSends.name}($1, $2, $3, $4)` }
  const written = {
    name: 'sends written',
    text: 'SELECT pin_id, delivery_id FROM deliveries WHERE delivery_id = ANY($1)',
  }
  const countersNow = { name: 'counters now', text: 'SELECT key, started_at, count FROM counters WHERE key = ANY($1)' }
  const balancesNow = {
    name: 'balances now',
    text: 'SELECT account_id, balance_micros - reserved_micros AS free FROM accounts WHERE account_id = ANY($1)',
  }
  const keysNow = {
    name: 'keys now',
    text: `SELECT account_id, key, fingerprint, pin_id, delivery_id, created_at FROM idempotency
      WHERE (account_id, key) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
  }

  async function standing(sends: readonly Send[]): Promise<Standing> {
    const asked = sends.filter(({ idempotency }) => idempotency)
    const [counters, balances, keys] = await Promise.all([
      database.query<{ key: string; started_at: number; count: number }>(countersNow, [
        [...new Set(sends.flatMap(({ counted }) => counted.map((each) => counterKey(each, numbers))))],
      ]),
      database.query<{ account_id: string; free: number }>(balancesNow, [
        [...new Set(sends.map(({ pin }) => pin.accountId))],
      ]),
      asked.length === 0
        ? []
        : database.query<Standing['keys'][number]>(keysNow, [
            asked.map(({ pin }) => pin.accountId),
            asked.map(({ idempotency }) => idempotency?.key),
          ]),
    ])
    return { counters, balances, keys }
  }

  /**
   * Writes all of them, or throws `UNDONE` with nothing written. Those that an unanswered try wrote are not written again,
   * even where the server was still at it when we looked: then it is that try which now stands in our way.
   */
  async function writeAll(sends: readonly Send[]): Promise<void> {
    let left = sends
    await database.write(async (again) => {
      if (again) left = await notWritten(sends)
      if (left.length === 0) return
      try {
        await database.once(write, batchOf(left, numbers))
      } catch (error) {
        const code = codeOf(error)
        if (!again || (code !== UNIQUE_VIOLATION && code !== UNDONE)) throw error
        left = await notWritten(sends)
        if (left.length > 0) throw error
      }
    })
  }

  async function notWritten(sends: readonly Send[]): Promise<Send[]> {
    const rows = await database.once<{ delivery_id: string }>(written, [
      sends.map(({ delivery }) => delivery.deliveryId),
    ])
    const found = new Set(rows.map((row) => row.delivery_id))
    return sends.filter(({ delivery }) => !found.has(delivery.deliveryId))
  }

  async function run(sends: readonly Send[]): Promise<(Admission | Error)[]> {
    const answers = new Map<Send, Admission | Error>()
    let left = [...sends]
    let fits = left // optimism first: nearly always all of them fit
    for (let round = 1; left.length > 0; round++) {
      try {
        if (fits.length > 0) await writeAll(fits)
        for (const send of fits) answers.set(send, owed(send))
      } catch (error) {
        if (codeOf(error) !== UNDONE || round > MOST_ROUNDS) {
          if (sends.length === 1) throw error
          const gone = error instanceof PincallError && error.code === 'unavailable'
          // else one of them is at fault: the others shall not suffer for it
          for (const send of left) answers.set(send, gone ? error : await alone(send))
        }
      }
      left = left.filter((send) => !answers.has(send))
      if (left.length === 0) break
      const planned = plan(left, await standing(left), numbers)
      for (const [send, refusal] of planned.refused) answers.set(send, refusal)
      fits = planned.fits
      left = left.filter((send) => !answers.has(send))
    }
    return sends.map((send) => answers.get(send)!)
  }

  const alone = (send: Send): Promise<Admission | Error> => run([send]).then(([answer]) => answer, asError)

  const batched = makeBatches<Send, Admission>({ most: MOST_PER_BATCH, atOnce: 2, tagsOf, run })
  return (send) => batched({ ...send, row: rowOf(send, numbers) })

  /** One use of an Idempotency-Key a batch, and one limit a counter. */
  function* tagsOf({ pin, delivery, idempotency, counted }: Send): Iterable<readonly [string, string]> {
    if (idempotency) yield [`key ${pin.accountId} ${idempotency.key}`, delivery.deliveryId]
    for (const { key, number, windowMs, count } of counted) yield [`${key}:${number ?? ''}`, `${count}/${windowMs}`]
  }
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown })?.code

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

const owed = ({ pin, delivery }: Send): Admission => ({
  kind: 'owed',
  deliveryId: delivery.deliveryId,
  pinId: pin.pinId,
})

function rowOf({ pin, delivery, now }: AdmitSend, numbers: Numbers): Record<string, unknown> {
  return {
    pin: pin.pinId,
    account: pin.accountId,
    application: pin.applicationId,
    template: pin.templateId,
    code_key: pin.codeKeyId,
    sealed: numbers.seal(pin.to, pin.pinId),
    hash: numbers.hash(pin.to),
    type: pin.pinType,
    length: pin.pinLength,
    made: pin.createdAt,
    expires: pin.expiresAt,
    checks: pin.maxChecks,
    multiple: pin.allowMultiple ? 1 : 0,
    filled: json(pin.placeholders),
    delivery: delivery.deliveryId,
    channel: delivery.channel,
    at: now,
    micros: delivery.reserveMicros,
    sender: delivery.from ?? null,
    placeholders: json(delivery.placeholders),
  }
}

function batchOf(sends: readonly Send[], numbers: Numbers): (string | null)[] {
  const reserves = new Map<string, number>()
  for (const { pin, delivery } of sends) {
    if (delivery.reserveMicros > 0) {
      reserves.set(pin.accountId, (reserves.get(pin.accountId) ?? 0) + delivery.reserveMicros)
    }
  }
  const keys = sends.flatMap(({ pin, delivery, idempotency, now }) =>
    idempotency
      ? {
          account: pin.accountId,
          key: idempotency.key,
          fingerprint: numbers.hash(idempotency.fingerprint),
          pin: pin.pinId,
          delivery: delivery.deliveryId,
          at: now,
        }
      : [],
  )
  return [
    JSON.stringify(sends.map(({ row }) => row)),
    JSON.stringify(countersOf(sends, numbers)),
    JSON.stringify([...reserves].map(([account, micros]) => ({ account, micros }))),
    keys.length > 0 ? JSON.stringify(keys) : null,
  ]
}
