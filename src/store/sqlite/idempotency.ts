import { IDEMPOTENCY_MS } from '../limits.ts'
import type { Numbers } from '../numbers.ts'
import type { Idempotency } from '../types.ts'
import type { Database } from './database.ts'

export type Sent = { pinId: string; deliveryId: string }
export type Earlier = ({ kind: 'repeated' } & Sent) | { kind: 'mismatch' }

/** Looks a key up, and writes down what it led to. Only what was done is remembered: a refused request may be tried again. */
export function prepareIdempotency(database: Database, numbers: Numbers) {
  const find = database.prepare<{ fingerprint: string; pin_id: string; delivery_id: string }>(`
    SELECT fingerprint, pin_id, delivery_id FROM idempotency
    WHERE account_id = ? AND key = ? AND created_at > ?`)
  const insert = database.prepare(`
    INSERT OR REPLACE INTO idempotency (account_id, key, fingerprint, pin_id, delivery_id, created_at)
    VALUES (?, ?, ?, ?, ?, ?)`)

  return {
    earlier(accountId: string, asked: Idempotency | undefined, now: number): Earlier | undefined {
      const found = asked && find.get(accountId, asked.key, now - IDEMPOTENCY_MS)
      if (!found) return undefined
      if (!numbers.hashes(asked.fingerprint).includes(found.fingerprint)) return { kind: 'mismatch' }
      return { kind: 'repeated', deliveryId: found.delivery_id, pinId: found.pin_id }
    },

    remember(accountId: string, asked: Idempotency | undefined, sent: Sent, now: number): void {
      if (!asked) return
      insert.run(accountId, asked.key, numbers.hash(asked.fingerprint), sent.pinId, sent.deliveryId, now)
    },
  }
}
