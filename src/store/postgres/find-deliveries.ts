import type { Numbers } from '../numbers.ts'
import { type AttemptRow, attemptOf, DELIVERY, type DeliveryRow, deliveryOf } from '../rows.ts'
import { type Attempt, CHANNELS, type Channel, type Delivery } from '../types.ts'
import type { Database } from './database.ts'

const FROM = 'FROM deliveries d JOIN pins p ON p.pin_id = d.pin_id'

export function makeFindDeliveries(database: Database, numbers: Numbers) {
  const find = {
    name: 'find delivery',
    text: `SELECT ${DELIVERY} ${FROM} WHERE d.delivery_id = $1 AND d.account_id = $2`,
  }
  const ofPin = {
    name: 'deliveries of pin',
    text: `SELECT ${DELIVERY} ${FROM} WHERE d.pin_id = $1 AND d.account_id = $2 ORDER BY d.seq`,
  }
  const attempts = {
    name: 'attempts of delivery',
    text: `SELECT a.attempt_id, d.delivery_id, a.trunk, a.started_at, a.ended_at, a.disposition, a.evidence, a.charged_micros
      FROM deliveries d JOIN attempts a ON a.delivery_seq = d.seq WHERE d.delivery_id = $1 ORDER BY a.attempt_no`,
  }
  const backlog = {
    name: 'backlog',
    text: `SELECT count(*) FILTER (WHERE state = 'owed') AS owed, count(*) FILTER (WHERE state = 'claimed') AS claimed
      FROM deliveries WHERE closed_at IS NULL`,
  }
  const look = {
    name: 'look',
    text: `SELECT
      ARRAY(SELECT c FROM unnest($2::text[]) c WHERE EXISTS (SELECT 1 FROM deliveries d
        WHERE d.closed_at IS NULL AND d.state = 'owed' AND d.channel = c)) AS owed,
      EXISTS (SELECT 1 FROM deliveries WHERE closed_at IS NULL AND state = 'claimed' AND lease_until <= $1) AS overdue`,
  }

  return {
    async find(accountId: string, deliveryId: string): Promise<Delivery | undefined> {
      const [row] = await database.query<DeliveryRow>(find, [deliveryId, accountId])
      return row && deliveryOf(row, numbers)
    },
    async ofPin(accountId: string, pinId: string): Promise<Delivery[]> {
      return (await database.query<DeliveryRow>(ofPin, [pinId, accountId])).map((row) => deliveryOf(row, numbers))
    },
    async attempts(deliveryId: string): Promise<Attempt[]> {
      return (await database.query<AttemptRow>(attempts, [deliveryId])).map(attemptOf)
    },
    async backlog(): Promise<{ owed: number; claimed: number }> {
      const [row] = await database.query<{ owed: number; claimed: number }>(backlog, [])
      return row
    },
    async look(now: number): Promise<{ owed: Channel[]; overdue: boolean }> {
      const [row] = await database.query<{ owed: Channel[]; overdue: boolean }>(look, [now, CHANNELS])
      return row
    },
  }
}
