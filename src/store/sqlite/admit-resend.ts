import type { Numbers } from '../numbers.ts'
import type { AdmitResend, ResendAdmission } from '../types.ts'
import type { Database } from './database.ts'
import { prepareIdempotency } from './idempotency.ts'
import { prepareOweDelivery } from './owe-delivery.ts'
import { type Limited, prepareRaiseCounters } from './raise-counters.ts'
import type { Tx } from './write-queue.ts'

type PinRow = {
  expires_at: number
  max_checks: number
  checks: number
  verified_at: number | null
  resends: number
  last_resend_at: number | null
}

/** One more delivery of a PIN that is there: joins one on its way, else decides whether the PIN may go out again, and owes it. */
export function prepareAdmitResend(
  database: Database,
  numbers: Numbers,
): (resend: AdmitResend, tx: Tx) => ResendAdmission {
  const idempotency = prepareIdempotency(database, numbers)
  const raiseCounters = prepareRaiseCounters(database, numbers)
  const oweDelivery = prepareOweDelivery(database)
  const findPin = database.prepare<PinRow>(`
    SELECT expires_at, max_checks, checks, verified_at, resends, last_resend_at FROM pins
    WHERE pin_id = ? AND account_id = ?`)
  const findOpen = database.prepare<{ delivery_id: string }>(`
    SELECT delivery_id FROM deliveries WHERE pin_id = ? AND channel = ? AND closed_at IS NULL ORDER BY seq LIMIT 1`)
  const countResend = database.prepare('UPDATE pins SET resends = resends + 1, last_resend_at = ? WHERE pin_id = ?')

  return (resend, tx) => {
    const { accountId, pinId, delivery, counted, idempotency: asked, now } = resend
    const pin = findPin.get(pinId, accountId)
    if (!pin) return { kind: 'not_found' }
    const earlier = idempotency.earlier(accountId, asked, now)
    if (earlier) return earlier
    const open = findOpen.get(pinId, delivery.channel)
    if (open) {
      const joined = { deliveryId: open.delivery_id, pinId }
      idempotency.remember(accountId, asked, joined, now)
      return { kind: 'joined', ...joined }
    }
    const refusal = closedBecause(pin, now) ?? tooSoon(pin, resend) ?? raiseCounters(counted, now)
    if (refusal) return tx.refuse(refusal)
    if (!oweDelivery.reserve(accountId, delivery.reserveMicros)) return tx.refuse({ kind: 'no_credit' })
    countResend.run(now, pinId)
    oweDelivery.insert({ pinId, accountId }, delivery, now)
    const sent = { deliveryId: delivery.deliveryId, pinId }
    idempotency.remember(accountId, asked, sent, now)
    return { kind: 'owed', ...sent }
  }
}

function closedBecause(pin: PinRow, now: number): ResendAdmission | undefined {
  if (pin.expires_at <= now) return { kind: 'closed', why: 'expired' }
  if (pin.checks >= pin.max_checks) return { kind: 'closed', why: 'exhausted' }
  if (pin.verified_at !== null) return { kind: 'closed', why: 'verified' }
  return undefined
}

/** The cool-down runs from the last resend, not from the send: the first resend is free to come at any time. */
function tooSoon(pin: PinRow, { maxResends, coolDownMs, now }: AdmitResend): Limited | undefined {
  if (pin.resends >= maxResends) {
    return { kind: 'limited', name: 'resendsPerPin', retryAfterMs: pin.expires_at - now } // a new PIN is what can help
  }
  const left = pin.last_resend_at === null ? 0 : pin.last_resend_at + coolDownMs - now
  return left > 0 ? { kind: 'limited', name: 'resendCoolDown', retryAfterMs: left } : undefined
}
