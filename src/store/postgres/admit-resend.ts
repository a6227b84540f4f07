import { IDEMPOTENCY_MS } from '../limits.ts'
import type { Numbers } from '../numbers.ts'
import { json } from '../rows.ts'
import type { AdmitResend, ResendAdmission } from '../types.ts'
import { countedJson } from './counted.ts'
import type { Database } from './database.ts'
import { raiseCounters, routine, UNDONE } from './routines.ts'

/**
 * One more delivery of a PIN that is there: joins one on its way, else decides whether the PIN may go out again, and owes
 * it. The PIN's row is held to the end: two resends of one PIN come one after the other.
 */
const admitResend = routine(
  'admit_resend',
  'asked json, counted json, fingerprints text[], again boolean',
  'json',
  `
DECLARE
  r record;
  p record;
  earlier record;
  open_id text;
  refusal json;
  taken int;
BEGIN
  SELECT * INTO r FROM json_to_record(asked) AS x(account text, pin text, delivery text, channel text, micros bigint, sender text,
    placeholders text, key text, cool_down bigint, most int, at bigint);
  SELECT * INTO p FROM pins WHERE pin_id = r.pin AND account_id = r.account FOR UPDATE;
  IF NOT FOUND THEN RETURN json_build_object('kind', 'not_found'); END IF;
  IF again AND EXISTS (SELECT 1 FROM deliveries WHERE delivery_id = r.delivery) THEN
    RETURN json_build_object('kind', 'owed', 'deliveryId', r.delivery, 'pinId', r.pin);
  END IF;
  IF r.key IS NOT NULL THEN
    SELECT * INTO earlier FROM idempotency i
      WHERE i.account_id = r.account AND i.key = r.key AND i.created_at > r.at - ${IDEMPOTENCY_MS};
    IF FOUND THEN
      IF NOT earlier.fingerprint = ANY (fingerprints) THEN RETURN json_build_object('kind', 'mismatch'); END IF;
      RETURN json_build_object('kind', 'repeated', 'deliveryId', earlier.delivery_id, 'pinId', earlier.pin_id);
    END IF;
  END IF;
  SELECT delivery_id INTO open_id FROM deliveries d
    WHERE d.pin_id = r.pin AND d.channel = r.channel AND d.closed_at IS NULL ORDER BY d.seq LIMIT 1;
  IF open_id IS NULL THEN
    IF p.expires_at <= r.at THEN RETURN json_build_object('kind', 'closed', 'why', 'expired'); END IF;
    IF p.checks >= p.max_checks THEN RETURN json_build_object('kind', 'closed', 'why', 'exhausted'); END IF;
    IF p.verified_at IS NOT NULL THEN RETURN json_build_object('kind', 'closed', 'why', 'verified'); END IF;
    IF p.resends >= r.most THEN -- a new PIN is what can help
      RETURN json_build_object('kind', 'limited', 'name', 'resendsPerPin', 'retryAfterMs', p.expires_at - r.at);
    END IF;
    IF p.last_resend_at + r.cool_down > r.at THEN
      RETURN json_build_object('kind', 'limited', 'name', 'resendCoolDown', 'retryAfterMs', p.last_resend_at + r.cool_down - r.at);
    END IF;
    BEGIN
      refusal := ${raiseCounters.name}(counted, r.at);
      IF refusal IS NULL AND r.micros > 0 THEN
        UPDATE accounts SET reserved_micros = reserved_micros + r.micros
          WHERE account_id = r.account AND balance_micros - reserved_micros >= r.micros;
        IF NOT FOUND THEN refusal := json_build_object('kind', 'no_credit'); END IF;
      END IF;
      IF refusal IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = '${UNDONE}'; END IF;
    EXCEPTION WHEN SQLSTATE '${UNDONE}' THEN
      RETURN refusal;
    END;
  END IF;
  IF r.key IS NOT NULL THEN
    INSERT INTO idempotency AS i (account_id, key, fingerprint, pin_id, delivery_id, created_at)
      VALUES (r.account, r.key, fingerprints[1], r.pin, coalesce(open_id, r.delivery), r.at)
      ON CONFLICT (account_id, key) DO UPDATE SET fingerprint = EXCLUDED.fingerprint, pin_id = EXCLUDED.pin_id,
        delivery_id = EXCLUDED.delivery_id, created_at = EXCLUDED.created_at
      WHERE i.created_at <= EXCLUDED.created_at - ${IDEMPOTENCY_MS};
    GET DIAGNOSTICS taken = ROW_COUNT;
    IF taken = 0 THEN -- the same key for another PIN, a moment ago
      RAISE EXCEPTION 'a key' USING ERRCODE = '${UNDONE}';
    END IF;
  END IF;
  IF open_id IS NOT NULL THEN RETURN json_build_object('kind', 'joined', 'deliveryId', open_id, 'pinId', r.pin); END IF;
  UPDATE pins SET resends = resends + 1, last_resend_at = r.at WHERE pin_id = r.pin;
  INSERT INTO deliveries (delivery_id, pin_id, account_id, channel, created_at, reserved_micros, sender, placeholders)
    VALUES (r.delivery, r.pin, r.account, r.channel, r.at, r.micros, r.sender, r.placeholders);
  RETURN json_build_object('kind', 'owed', 'deliveryId', r.delivery, 'pinId', r.pin);
END`,
)

export const admitResendRoutines = [admitResend]

export function makeAdmitResend(
  database: Database,
  numbers: Numbers,
): (resend: AdmitResend) => Promise<ResendAdmission> {
  const admit = { name: admitResend.name, text: `SELECT ${admitResend.name}($1, $2, $3, $4) AS admission` }

  return async (resend) => {
    const { accountId, pinId, delivery, counted, idempotency, coolDownMs, maxResends, now } = resend
    const asked = JSON.stringify({
      account: accountId,
      pin: pinId,
      delivery: delivery.deliveryId,
      channel: delivery.channel,
      micros: delivery.reserveMicros,
      sender: delivery.from ?? null,
      placeholders: json(delivery.placeholders),
      key: idempotency?.key ?? null,
      cool_down: coolDownMs,
      most: maxResends,
      at: now,
    })
    const counters = JSON.stringify(countedJson(counted, numbers))
    const fingerprints = idempotency ? numbers.hashes(idempotency.fingerprint) : []
    const ask = (again: boolean) =>
      database.once<{ admission: ResendAdmission }>(admit, [asked, counters, fingerprints, again])
    const [row] = await database.write((again) =>
      ask(again).catch((error) => {
        if (error.code !== UNDONE) throw error
        return ask(again) // whoever was first with the key has committed by now
      }),
    )
    return row.admission
  }
}
