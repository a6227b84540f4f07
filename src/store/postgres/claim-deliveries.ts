import type { Numbers } from '../numbers.ts'
import {
  DELIVERY,
  type DeliveryRow,
  deliveryOf,
  PIN,
  type PinRow,
  pinOf,
  TEMPLATE,
  type TemplateRow,
  templateOf,
} from '../rows.ts'
import type { Channel, Job } from '../types.ts'
import type { Database } from './database.ts'

export type Claim = { nodeId: string; channel: Channel; most: number; leaseMs: number; now: number }

type JobRow = DeliveryRow &
  PinRow &
  TemplateRow & { seq: number; lease_until: number; sender: string | null; delivery_placeholders: string | null }

/**
 * Taking work, giving it back untouched, and saying that we still live. SKIP LOCKED only keeps nodes out of each other's
 * way: that a delivery is owed still is asked again where it is taken.
 */
export function makeClaims(database: Database, numbers: Numbers) {
  const claim = {
    name: 'claim deliveries',
    text: `
      WITH taken AS (
        UPDATE deliveries SET state = 'claimed', node_id = $1, lease_until = $2
        WHERE state = 'owed' AND closed_at IS NULL AND delivery_id = ANY (ARRAY(
          SELECT delivery_id FROM deliveries WHERE closed_at IS NULL AND state = 'owed' AND channel = $3
          ORDER BY seq LIMIT $4 FOR UPDATE SKIP LOCKED))
        RETURNING *)
      SELECT d.seq, ${DELIVERY}, ${PIN}, ${TEMPLATE}, d.lease_until, d.sender, d.placeholders AS delivery_placeholders
      FROM taken d JOIN pins p ON p.pin_id = d.pin_id JOIN templates t ON t.template_id = p.template_id ORDER BY d.seq`,
  }
  const unclaim = {
    name: 'unclaim delivery',
    text: `
      UPDATE deliveries SET state = 'owed', node_id = NULL, lease_until = NULL
      WHERE delivery_id = $1 AND node_id = $2 AND closed_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM attempts WHERE delivery_seq = deliveries.seq)`,
  }
  const extend = {
    name: 'extend leases',
    text: `
      UPDATE deliveries SET lease_until = $1 WHERE delivery_id IN (
        SELECT delivery_id FROM deliveries WHERE delivery_id = ANY ($2) AND node_id = $3 AND state = 'claimed'
        ORDER BY delivery_id FOR UPDATE)`,
  }

  return {
    /** Where an answer was lost, what it had taken is owed again once its lease is over: nobody extends it. */
    async claim({ nodeId, channel, most, leaseMs, now }: Claim): Promise<Job[]> {
      const rows = await database.write(() => database.once<JobRow>(claim, [nodeId, now + leaseMs, channel, most]))
      return rows.map((row) => jobOf(row, numbers))
    },
    async unclaim(deliveryId: string, nodeId: string): Promise<void> {
      await database.query(unclaim, [deliveryId, nodeId])
    },
    async extend(lease: { nodeId: string; deliveryIds: string[]; leaseMs: number; now: number }): Promise<void> {
      if (lease.deliveryIds.length === 0) return
      await database.query(extend, [lease.now + lease.leaseMs, lease.deliveryIds, lease.nodeId])
    },
  }
}

const jobOf = (row: JobRow, numbers: Numbers): Job => ({
  delivery: {
    ...deliveryOf(row, numbers),
    ...(row.sender !== null && { from: row.sender }),
    ...(row.delivery_placeholders !== null && { placeholders: JSON.parse(row.delivery_placeholders) }),
  },
  pin: pinOf(row, numbers),
  template: templateOf(row),
  leaseUntil: row.lease_until,
})
