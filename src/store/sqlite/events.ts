import { type EventRow, eventOf, json } from '../rows.ts'
import type { StoredEvent } from '../types.ts'
import type { Database } from './database.ts'

export type NewEvent = Omit<StoredEvent, 'seq'>

/** Writes an event in the running transaction and gives it its account's next number. */
export function prepareWriteEvent(database: Database): (event: NewEvent) => StoredEvent {
  const next = database.prepare<{ seq: number }>(`
    INSERT INTO event_heads (account_id, seq) VALUES (?, 1)
    ON CONFLICT (account_id) DO UPDATE SET seq = seq + 1 RETURNING seq`)
  const insert = database.prepare(`
    INSERT INTO events (account_id, seq, kind, at, pin_id, delivery_id, data) VALUES (?, ?, ?, ?, ?, ?, ?)`)
  return (event) => {
    const { accountId, kind, at, pinId, deliveryId, data } = event
    const row = next.get(accountId)
    if (!row) throw new Error('an event was given no number')
    insert.run(accountId, row.seq, kind, at, pinId, deliveryId ?? null, json(data) ?? '{}')
    return { seq: row.seq, ...event }
  }
}

export function prepareEvents(database: Database) {
  const after = database.prepare<EventRow>(`
    SELECT seq, account_id, kind, at, pin_id, delivery_id, data FROM events
    WHERE account_id = ? AND seq > ? ORDER BY seq LIMIT ?`)
  const last = database.prepare<{ seq: number }>('SELECT seq FROM event_heads WHERE account_id = ?')
  return {
    after: (accountId: string, seq: number, most: number) => after.all(accountId, seq, most).map(eventOf),
    lastSeq: (accountId: string) => last.get(accountId)?.seq ?? 0,
  }
}
