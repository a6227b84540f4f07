import type { Attempt, Delivery } from '../types.ts'
import type { Database } from './database.ts'
import { type AttemptRow, attemptOf, DELIVERY, type DeliveryRow, deliveryOf } from './rows.ts'

export function prepareFindDeliveries(database: Database) {
  const find = database.prepare<DeliveryRow>(
    `SELECT ${DELIVERY} FROM deliveries d WHERE d.delivery_id = ? AND d.account_id = ?`,
  )
  const ofPin = database.prepare<DeliveryRow>(
    `SELECT ${DELIVERY} FROM deliveries d WHERE d.pin_id = ? AND d.account_id = ? ORDER BY d.seq`,
  )
  const attempts = database.prepare<AttemptRow>(`
    SELECT a.attempt_id, d.delivery_id, a.trunk, a.started_at, a.ended_at, a.disposition, a.evidence, a.charged_micros
    FROM deliveries d JOIN attempts a ON a.delivery_seq = d.seq WHERE d.delivery_id = ? ORDER BY a.attempt_no`)
  const backlog = database.prepare<{ owed: number; claimed: number }>(`
    SELECT count(*) FILTER (WHERE state = 'owed') AS owed, count(*) FILTER (WHERE state = 'claimed') AS claimed
    FROM deliveries WHERE closed_at IS NULL`)

  return {
    find(accountId: string, deliveryId: string): Delivery | undefined {
      const row = find.get(deliveryId, accountId)
      return row && deliveryOf(row)
    },
    ofPin: (accountId: string, pinId: string): Delivery[] => ofPin.all(pinId, accountId).map(deliveryOf),
    attempts: (deliveryId: string): Attempt[] => attempts.all(deliveryId).map(attemptOf),
    backlog: (): { owed: number; claimed: number } => ({ owed: 0, claimed: 0, ...backlog.get() }),
  }
}
