import { json } from '../rows.ts'
import type { Disposition } from '../types.ts'
import type { Database } from './database.ts'
import { prepareWriteEvent } from './events.ts'
import type { Tx } from './write-queue.ts'

export type RecordOutcome = {
  deliveryId: string
  nodeId: string
  disposition: Disposition
  evidence: Record<string, unknown>
  event: Record<string, unknown>
  now: number
}

/** Once: what was told to a client stays true, so a second outcome of the same delivery changes nothing. */
export function prepareRecordOutcome(database: Database): (outcome: RecordOutcome, tx: Tx) => boolean {
  const writeEvent = prepareWriteEvent(database)
  const record = database.prepare<{ account_id: string; pin_id: string }>(`
    UPDATE deliveries SET disposition = ?, evidence = ?
    WHERE delivery_id = ? AND node_id = ? AND state = 'claimed' AND disposition IS NULL
    RETURNING account_id, pin_id`)

  return ({ deliveryId, nodeId, disposition, evidence, event, now }, tx) => {
    const row = record.get(disposition, json(evidence) ?? null, deliveryId, nodeId)
    if (!row) return false
    const { account_id: accountId, pin_id: pinId } = row
    tx.tell(writeEvent({ accountId, kind: 'delivery.outcome', at: now, pinId, deliveryId, data: event }))
    return true
  }
}
