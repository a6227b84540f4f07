import { json } from '../rows.ts'
import type { CloseAttempt } from '../types.ts'
import type { Database } from './database.ts'
import { prepareWriteEvent } from './events.ts'
import type { Tx } from './write-queue.ts'

type LostRow = { seq: number; pin_id: string; account_id: string; owing: number; free: number }

/**
 * The true end of an attempt whose node was only slow: `recover` had ended it as abandoned and freed its money, and others
 * may have reserved that since. Only the node that began the attempt knows its id. Once: afterwards it is abandoned no more.
 */
export function prepareCorrectAttempt(database: Database): (close: CloseAttempt, tx: Tx) => boolean {
  const writeEvent = prepareWriteEvent(database)
  const find = database.prepare<LostRow>(`
    SELECT d.seq, d.pin_id, d.account_id, d.reserved_micros - d.charged_micros AS owing,
      a.balance_micros - a.reserved_micros AS free
    FROM deliveries d JOIN attempts t ON t.delivery_seq = d.seq JOIN accounts a ON a.account_id = d.account_id
    WHERE d.delivery_id = ? AND d.state = 'closed' AND d.disposition = 'abandoned'
      AND t.attempt_id = ? AND t.disposition = 'abandoned'`)
  const charge = database.prepare('UPDATE accounts SET balance_micros = balance_micros - ? WHERE account_id = ?')
  const book = database.prepare(`
    INSERT INTO ledger (account_id, kind, micros, delivery_id, note, at) VALUES (?, 'settle', ?, ?, ?, ?)`)
  const correctAttempt = database.prepare(`
    UPDATE attempts SET ended_at = ?, disposition = ?, evidence = ?, charged_micros = ?
    WHERE delivery_seq = ? AND attempt_id = ?`)
  const correctDelivery = database.prepare(`
    UPDATE deliveries SET disposition = ?, evidence = ?, charged_micros = charged_micros + ? WHERE seq = ?`)

  return ({ deliveryId, attemptId, disposition, evidence, chargeMicros, final, event, now }, tx) => {
    if (!final || attemptId === undefined || disposition === 'abandoned') return false
    const lost = find.get(deliveryId, attemptId)
    if (!lost) return false
    const { seq, account_id: accountId, pin_id: pinId, owing, free } = lost
    const charged = Math.max(0, Math.min(chargeMicros, owing, free))
    if (charged !== 0) {
      charge.run(charged, accountId)
      book.run(accountId, -charged, deliveryId, disposition, now)
    }
    correctAttempt.run(now, disposition, json(evidence), charged, seq, attemptId)
    correctDelivery.run(disposition, json(evidence), charged, seq)
    tx.tell(writeEvent({ accountId, kind: 'delivery.corrected', at: now, pinId, deliveryId, data: event }))
    return true
  }
}
