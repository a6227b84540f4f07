import { json } from '../rows.ts'
import type { CloseAttempt, Disposition } from '../types.ts'
import { prepareCorrectAttempt } from './correct-attempt.ts'
import type { Database } from './database.ts'
import { prepareWriteEvent } from './events.ts'
import { type Owing, prepareSettle } from './settle.ts'
import type { Tx } from './write-queue.ts'

type DeliveryRow = Owing & { seq: number; pin_id: string; disposition: Disposition | null }

/**
 * Attempt, money and event together, once: who comes second finds it closed and changes nothing, unless what was closed
 * was only thought to be lost.
 */
export function prepareCloseAttempt(database: Database): (close: CloseAttempt, tx: Tx) => boolean {
  const settle = prepareSettle(database)
  const writeEvent = prepareWriteEvent(database)
  const correctAttempt = prepareCorrectAttempt(database)
  const find = database.prepare<DeliveryRow>(`
    SELECT seq, delivery_id, pin_id, account_id, disposition, reserved_micros, charged_micros FROM deliveries
    WHERE delivery_id = ? AND node_id = ? AND state = 'claimed'`)
  const endAttempt = database.prepare(`
    UPDATE attempts SET ended_at = ?1, disposition = ?2, evidence = ?3, charged_micros = ?4
    WHERE delivery_seq = ?5 AND ended_at IS NULL AND (?6 IS NULL OR attempt_id = ?6)`)
  const charge = database.prepare('UPDATE deliveries SET charged_micros = charged_micros + ? WHERE seq = ?')
  const end = database.prepare(`
    UPDATE deliveries SET state = 'closed', node_id = NULL, lease_until = NULL, disposition = ?, evidence = ?,
      closed_at = ?, charged_micros = charged_micros + ?
    WHERE seq = ?`)

  return (close, tx) => {
    const { deliveryId, nodeId, attemptId, evidence, chargeMicros, final, event, now } = close
    const delivery = find.get(deliveryId, nodeId)
    if (!delivery) return correctAttempt(close, tx)
    const disposition = delivery.disposition ?? close.disposition // what was told already stays true
    const charged = settle(delivery, chargeMicros, final, disposition, now)
    const evidenceText = json(evidence) ?? null
    const ended = endAttempt.run(now, disposition, evidenceText, charged, delivery.seq, attemptId ?? null)
    if (attemptId !== undefined && ended === 0) return tx.refuse(false)
    if (!final) {
      if (charged !== 0) charge.run(charged, delivery.seq)
      return true
    }
    end.run(disposition, evidenceText, now, charged, delivery.seq)
    const { account_id: accountId, pin_id: pinId } = delivery
    tx.tell(writeEvent({ accountId, kind: 'delivery.closed', at: now, pinId, deliveryId, data: event }))
    return true
  }
}
