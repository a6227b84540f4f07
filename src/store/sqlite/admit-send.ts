import type { Numbers } from '../numbers.ts'
import { json } from '../rows.ts'
import type { Admission, AdmitSend } from '../types.ts'
import type { Database } from './database.ts'
import { prepareIdempotency } from './idempotency.ts'
import { prepareOweDelivery } from './owe-delivery.ts'
import { prepareRaiseCounters } from './raise-counters.ts'
import type { Tx } from './write-queue.ts'

/** PIN, delivery, counters and reserve, all or nothing. The dearest statements come last: a refusal costs little. */
export function prepareAdmitSend(database: Database, numbers: Numbers): (send: AdmitSend, tx: Tx) => Admission {
  const idempotency = prepareIdempotency(database, numbers)
  const raiseCounters = prepareRaiseCounters(database, numbers)
  const oweDelivery = prepareOweDelivery(database)
  const insertPin = database.prepare(`
    INSERT INTO pins (pin_id, account_id, application_id, template_id, code_key_id, to_sealed, to_hash, pin_type, pin_length,
      created_at, expires_at, max_checks, allow_multiple, placeholders)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)

  return ({ pin, delivery, counted, idempotency: asked, now }, tx) => {
    const earlier = idempotency.earlier(pin.accountId, asked, now)
    if (earlier) return earlier
    const limited = raiseCounters(counted, now)
    if (limited) return tx.refuse(limited)
    if (!oweDelivery.reserve(pin.accountId, delivery.reserveMicros)) return tx.refuse({ kind: 'no_credit' })
    insertPin.run(
      pin.pinId,
      pin.accountId,
      pin.applicationId,
      pin.templateId,
      pin.codeKeyId,
      numbers.seal(pin.to, pin.pinId),
      numbers.hash(pin.to),
      pin.pinType,
      pin.pinLength,
      pin.createdAt,
      pin.expiresAt,
      pin.maxChecks,
      pin.allowMultiple ? 1 : 0,
      json(pin.placeholders),
    )
    oweDelivery.insert(pin, delivery, now)
    const sent = { deliveryId: delivery.deliveryId, pinId: pin.pinId }
    idempotency.remember(pin.accountId, asked, sent, now)
    return { kind: 'owed', ...sent }
  }
}
