import { json } from '../rows.ts'
import type { NewDelivery, Pin } from '../types.ts'
import type { Database } from './database.ts'

/** The reserve and the row of a delivery that is owed. `reserve` is false, with nothing written, where the balance can not pay. */
export function prepareOweDelivery(database: Database) {
  const reserve = database.prepare(`
    UPDATE accounts SET reserved_micros = reserved_micros + ?1
    WHERE account_id = ?2 AND balance_micros - reserved_micros >= ?1`)
  const insert = database.prepare(`
    INSERT INTO deliveries (delivery_id, pin_id, account_id, channel, created_at, reserved_micros, sender, placeholders)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)

  return {
    reserve: (accountId: string, micros: number): boolean => micros === 0 || reserve.run(micros, accountId) === 1,

    insert(pin: Pick<Pin, 'pinId' | 'accountId'>, owed: NewDelivery, now: number): void {
      const { deliveryId, channel, reserveMicros, from, placeholders } = owed
      insert.run(deliveryId, pin.pinId, pin.accountId, channel, now, reserveMicros, from ?? null, json(placeholders))
    },
  }
}
