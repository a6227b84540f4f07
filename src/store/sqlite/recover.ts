import type { Numbers } from '../numbers.ts'
import { DELIVERY, type DeliveryRow, deliveryOf } from '../rows.ts'
import type { Delivery } from '../types.ts'
import type { Database } from './database.ts'
import { prepareWriteEvent } from './events.ts'
import { prepareSettle } from './settle.ts'
import type { Tx } from './write-queue.ts'

export type Recover = { nodeId: string; all: boolean; now: number }
type LostRow = DeliveryRow & { seq: number; open_attempts: number }

/** What their holder left behind: with nothing begun it is owed again, else it ends as it was told, or as abandoned. */
export function prepareRecover(database: Database, numbers: Numbers) {
  const settle = prepareSettle(database)
  const writeEvent = prepareWriteEvent(database)
  const lost = database.prepare<LostRow>(`
    SELECT d.seq, ${DELIVERY},
      (SELECT count(*) FROM attempts WHERE delivery_seq = d.seq AND ended_at IS NULL) AS open_attempts
    FROM deliveries d JOIN pins p ON p.pin_id = d.pin_id
    WHERE d.closed_at IS NULL AND d.state = 'claimed' AND (d.lease_until <= ?1 OR (?2 AND d.node_id <> ?3))
    ORDER BY d.seq`)
  const requeue = database.prepare(`
    UPDATE deliveries SET state = 'owed', node_id = NULL, lease_until = NULL WHERE seq = ?`)
  const endAttempt = database.prepare(`
    UPDATE attempts SET ended_at = ?, disposition = ?, evidence = ?, charged_micros = 0
    WHERE delivery_seq = ? AND ended_at IS NULL`)
  const end = database.prepare(`
    UPDATE deliveries SET state = 'closed', node_id = NULL, lease_until = NULL, disposition = ?, evidence = ?, closed_at = ?
    WHERE seq = ?`)

  function close(row: LostRow, now: number, tx: Tx): Delivery {
    const disposition = row.disposition ?? 'abandoned'
    const evidence = row.evidence ?? JSON.stringify({ detail: 'the process that made the attempt went away during it' })
    settle(row, 0, true, disposition, now)
    endAttempt.run(now, disposition, evidence, row.seq)
    end.run(disposition, evidence, now, row.seq)
    const closed = deliveryOf({ ...row, state: 'closed', disposition, evidence, closed_at: now }, numbers)
    const { accountId, pinId, deliveryId, channel } = closed
    const data = { disposition, channel }
    tx.tell(writeEvent({ accountId, kind: 'delivery.closed', at: now, pinId, deliveryId, data }))
    return closed
  }

  return ({ nodeId, all, now }: Recover, tx: Tx): { abandoned: Delivery[]; requeued: number } => {
    const rows = lost.all(now, all ? 1 : 0, nodeId)
    const begun = rows.filter((row) => row.open_attempts > 0 || row.disposition !== null)
    const untouched = rows.filter((row) => !begun.includes(row))
    for (const row of untouched) requeue.run(row.seq)
    return { abandoned: begun.map((row) => close(row, now, tx)), requeued: untouched.length }
  }
}
