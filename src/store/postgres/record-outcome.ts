import { json } from '../rows.ts'
import type { Disposition, StoredEvent } from '../types.ts'
import type { Database } from './database.ts'
import { appendEvents, routine } from './routines.ts'

export type RecordOutcome = {
  deliveryId: string
  nodeId: string
  disposition: Disposition
  evidence: Record<string, unknown>
  event: Record<string, unknown>
  now: number
}

/** Once: what was told to a client stays true, so a second outcome of the same delivery changes nothing. */
const recordOutcome = routine(
  'record_outcome',
  'delivery text, node text, told text, proof text, event text, told_at bigint, again boolean',
  'TABLE (done boolean, pin_id text, account_id text, seq bigint)',
  `
BEGIN
  UPDATE deliveries d SET disposition = told, evidence = proof
    WHERE d.delivery_id = delivery AND d.node_id = node AND d.state = 'claimed' AND d.disposition IS NULL
    RETURNING d.pin_id, d.account_id INTO pin_id, account_id;
  done := FOUND;
  IF done THEN
    seq := (${appendEvents.name}(ARRAY[account_id], 'delivery.outcome', ARRAY[told_at], ARRAY[pin_id], ARRAY[delivery], ARRAY[event]))[1];
  ELSIF again THEN
    done := EXISTS (SELECT 1 FROM deliveries d WHERE d.delivery_id = delivery AND d.node_id = node AND d.disposition = told);
  END IF;
  RETURN NEXT;
END`,
)

export const recordOutcomeRoutines = [recordOutcome]

type Row = { done: boolean; pin_id: string; account_id: string; seq: number | null }

export function makeRecordOutcome(
  database: Database,
  tell: (event: StoredEvent) => void,
): (outcome: RecordOutcome) => Promise<boolean> {
  const record = { name: recordOutcome.name, text: `SELECT * FROM ${recordOutcome.name}($1, $2, $3, $4, $5, $6, $7)` }
  return async ({ deliveryId, nodeId, disposition, evidence, event, now }) => {
    const values = [deliveryId, nodeId, disposition, json(evidence), json(event), now]
    const [row] = await database.write((again) => database.once<Row>(record, [...values, again]))
    if (row.done && row.seq !== null) {
      const { seq, account_id: accountId, pin_id: pinId } = row
      tell({ seq, accountId, kind: 'delivery.outcome', at: now, pinId, deliveryId, data: event })
    }
    return row.done
  }
}
