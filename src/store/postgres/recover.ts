import type { Numbers } from '../numbers.ts'
import { DELIVERY, type DeliveryRow, deliveryOf } from '../rows.ts'
import type { Delivery, StoredEvent } from '../types.ts'
import type { Database } from './database.ts'
import { appendEvents, routine } from './routines.ts'

export type Recover = { nodeId: string; all: boolean; now: number }

const GONE = JSON.stringify({ detail: 'the process that made the attempt went away during it' })

/** What their holder left behind: with nothing begun it is owed again, else it ends as it was told, or as abandoned. */
const recoverDeliveries = routine(
  'recover_deliveries',
  'node text, everyone boolean, at bigint',
  'TABLE (delivery_id text, event_seq bigint)',
  `
DECLARE
  d record;
  told text;
  owner record;
    owners text[] := '{}';
  frees bigint[] := '{}';
  pins_of text[] := '{}';
  deliveries_of text[] := '{}';
  datas text[] := '{}';
  seqs bigint[];
BEGIN
  FOR d IN SELECT * FROM deliveries q
      WHERE q.closed_at IS NULL AND q.state = 'claimed' AND (q.lease_until <= at OR (everyone AND q.node_id <> node))
      ORDER BY q.seq FOR UPDATE LOOP
    IF d.disposition IS NULL AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.delivery_seq = d.seq AND coalesce(a.ended_at, 0) = 0) THEN
      UPDATE deliveries q SET state = 'owed', node_id = NULL, lease_until = NULL WHERE q.delivery_id = d.delivery_id;
      delivery_id := d.delivery_id; event_seq := NULL;
      RETURN NEXT; CONTINUE;
    END IF;
    told := coalesce(d.disposition, 'abandoned');
    UPDATE attempts a SET ended_at = at, disposition = told, evidence = coalesce(d.evidence, '${GONE}'), charged_micros = 0
      WHERE a.delivery_seq = d.seq AND coalesce(a.ended_at, 0) = 0;
    UPDATE deliveries q SET state = 'closed', node_id = NULL, lease_until = NULL, disposition = told,
      evidence = coalesce(d.evidence, '${GONE}'), closed_at = at WHERE q.delivery_id = d.delivery_id;
    owners := owners || d.account_id; frees := frees || (d.reserved_micros - d.charged_micros);
    pins_of := pins_of || d.pin_id; deliveries_of := deliveries_of || d.delivery_id;
    datas := datas || json_build_object('disposition', told, 'channel', d.channel)::text;
  END LOOP;
  FOR owner IN SELECT u.id, sum(u.freed)::bigint AS freed FROM unnest(owners, frees) AS u(id, freed) GROUP BY u.id ORDER BY u.id LOOP
    UPDATE accounts a SET reserved_micros = a.reserved_micros - owner.freed WHERE a.account_id = owner.id;
  END LOOP;
  IF cardinality(deliveries_of) > 0 THEN
    seqs := ${appendEvents.name}(owners, 'delivery.closed', array_fill(at, ARRAY[cardinality(deliveries_of)]), pins_of, deliveries_of, datas);
    FOR i IN 1 .. cardinality(deliveries_of) LOOP
      delivery_id := deliveries_of[i]; event_seq := seqs[i];
      RETURN NEXT;
    END LOOP;
  END IF;
END`,
)

export const recoverRoutines = [recoverDeliveries]

export function makeRecover(database: Database, numbers: Numbers, tell: (event: StoredEvent) => void) {
  const run = { name: recoverDeliveries.name, text: `SELECT * FROM ${recoverDeliveries.name}($1, $2, $3)` }
  const load = {
    name: 'recovered deliveries',
    text: `SELECT ${DELIVERY} FROM deliveries d JOIN pins p ON p.pin_id = d.pin_id
      WHERE d.delivery_id = ANY ($1) ORDER BY d.seq`,
  }

  return async ({ nodeId, all, now }: Recover): Promise<{ abandoned: Delivery[]; requeued: number }> => {
    const rows = await database.query<{ delivery_id: string; event_seq: number | null }>(run, [nodeId, all, now])
    const closed = new Map(rows.flatMap((row) => (row.event_seq === null ? [] : [[row.delivery_id, row.event_seq]])))
    if (closed.size === 0) return { abandoned: [], requeued: rows.length }
    const loaded = await database.query<DeliveryRow>(load, [[...closed.keys()]])
    const abandoned = loaded.map((row) => deliveryOf(row, numbers))
    for (const { accountId, pinId, deliveryId, disposition, channel } of abandoned) {
      const data = { disposition, channel }
      const seq = closed.get(deliveryId)!
      tell({ seq, accountId, kind: 'delivery.closed', at: now, pinId, deliveryId, data })
    }
    return { abandoned, requeued: rows.length - closed.size }
  }
}
