import type { Numbers } from '../numbers.ts'
import { type AttemptRow, attemptOf, DELIVERY, type DeliveryRow, deliveryOf } from '../rows.ts'
import { type Attempt, CHANNELS, type Channel, type Delivery } from '../types.ts'
import type { Database } from './database.ts'

const FROM = 'FROM deliveries d JOIN pins p ON p.pin_id = d.pin_id'

export function prepareFindDeliveries(database: Database, numbers: Numbers) {
  const find = database.prepare<DeliveryRow>(`SELECT ${DELIVERY} ${FROM} WHERE d.delivery_id = ? AND d.account_id = ?`)
  const ofPin = database.prepare<DeliveryRow>(
    `SELECT ${DELIVERY} ${FROM} WHERE d.pin_id = ? AND d.account_id = ? ORDER BY d.seq`,
  )
  const attempts = database.prepare<AttemptRow>(`
    SELECT a.attempt_id, d.delivery_id, a.trunk, a.started_at, a.ended_at, a.disposition, a.evidence, a.charged_micros
    FROM deliveries d JOIN attempts a ON a.delivery_seq = d.seq WHERE d.delivery_id = ? ORDER BY a.attempt_no`)
  const backlog = database.prepare<{ owed: number; claimed: number }>(`
    SELECT count(*) FILTER (WHERE state = 'owed') AS owed, count(*) FILTER (WHERE state = 'claimed') AS claimed
    FROM deliveries WHERE closed_at IS NULL`)

  const look = database.prepare<{ voice: number; sms: number; overdue: number }>(`
    SELECT
      EXISTS (SELECT 1 FROM deliveries WHERE closed_at IS NULL AND state = 'owed' AND channel = 'voice') AS voice,
      EXISTS (SELECT 1 FROM deliveries WHERE closed_at IS NULL AND state = 'owed' AND channel = 'sms') AS sms,
      EXISTS (SELECT 1 FROM deliveries WHERE closed_at IS NULL AND state = 'claimed' AND lease_until <= ?) AS overdue`)

  return {
    find(accountId: string, deliveryId: string): Delivery | undefined {
      const row = find.get(deliveryId, accountId)
      return row && deliveryOf(row, numbers)
    },
    ofPin: (accountId: string, pinId: string): Delivery[] =>
      ofPin.all(pinId, accountId).map((row) => deliveryOf(row, numbers)),
    attempts: (deliveryId: string): Attempt[] => attempts.all(deliveryId).map(attemptOf),
    look(now: number): { owed: Channel[]; overdue: boolean } {
      const found = look.get(now)
      return { owed: CHANNELS.filter((channel) => found?.[channel] === 1), overdue: found?.overdue === 1 }
    },
    backlog: (): { owed: number; claimed: number } => ({ owed: 0, claimed: 0, ...backlog.get() }),
  }
}
