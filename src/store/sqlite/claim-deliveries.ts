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
export type Lease = { nodeId: string; deliveryIds: string[]; leaseMs: number; now: number }

type JobRow = DeliveryRow &
  PinRow &
  TemplateRow & { lease_until: number; sender: string | null; delivery_placeholders: string | null }

/** Taking work, giving it back untouched, and saying that we still live. */
export function prepareClaims(database: Database, numbers: Numbers) {
  const claim = database.prepare<{ seq: number }>(`
    UPDATE deliveries SET state = 'claimed', node_id = ?1, lease_until = ?2 WHERE seq IN
      (SELECT seq FROM deliveries WHERE closed_at IS NULL AND state = 'owed' AND channel = ?3 ORDER BY seq LIMIT ?4)
    RETURNING seq`)
  const load = database.prepare<JobRow>(`
    SELECT ${DELIVERY}, ${PIN}, ${TEMPLATE}, d.lease_until, d.sender, d.placeholders AS delivery_placeholders
    FROM deliveries d JOIN pins p ON p.pin_id = d.pin_id JOIN templates t ON t.template_id = p.template_id
    WHERE d.seq IN (SELECT value FROM json_each(?)) ORDER BY d.seq`)
  const unclaim = database.prepare(`
    UPDATE deliveries SET state = 'owed', node_id = NULL, lease_until = NULL
    WHERE delivery_id = ? AND node_id = ? AND closed_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM attempts WHERE delivery_seq = deliveries.seq)`)
  const extend = database.prepare(`
    UPDATE deliveries SET lease_until = ?
    WHERE delivery_id IN (SELECT value FROM json_each(?)) AND state = 'claimed' AND node_id = ?`)

  return {
    claim({ nodeId, channel, most, leaseMs, now }: Claim): Job[] {
      const taken = claim.all(nodeId, now + leaseMs, channel, most)
      if (taken.length === 0) return []
      return load.all(JSON.stringify(taken.map(({ seq }) => seq))).map((row) => jobOf(row, numbers))
    },
    unclaim: (deliveryId: string, nodeId: string): void => void unclaim.run(deliveryId, nodeId),
    extend: ({ nodeId, deliveryIds, leaseMs, now }: Lease): void =>
      void extend.run(now + leaseMs, JSON.stringify(deliveryIds), nodeId),
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
