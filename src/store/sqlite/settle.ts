import type { Micros } from '../../money.ts'
import type { Database } from './database.ts'

export type Owing = { account_id: string; delivery_id: string; reserved_micros: number; charged_micros: number }

/**
 * Moves money from a delivery's reserve to the ledger. What is still reserved is what was reserved less what earlier
 * attempts were charged; no charge goes past it. The last one frees the rest.
 */
export function prepareSettle(database: Database) {
  const move = database.prepare(`
    UPDATE accounts SET balance_micros = balance_micros - ?, reserved_micros = reserved_micros - ? WHERE account_id = ?`)
  const book = database.prepare(`
    INSERT INTO ledger (account_id, kind, micros, delivery_id, note, at) VALUES (?, 'settle', ?, ?, ?, ?)`)

  /** Returns what was charged. */
  return (owing: Owing, asked: Micros, final: boolean, note: string, now: number): Micros => {
    const reserved = owing.reserved_micros - owing.charged_micros
    const charge = Math.max(0, Math.min(asked, reserved))
    const freed = final ? reserved : charge
    if (freed !== 0) move.run(charge, freed, owing.account_id)
    if (charge !== 0) book.run(owing.account_id, -charge, owing.delivery_id, note, now)
    return charge
  }
}
