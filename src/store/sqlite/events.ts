import type { Log } from '../../log.ts'
import type { StoredEvent } from '../types.ts'
import type { Database } from './database.ts'
import { type EventRow, eventOf, json } from './rows.ts'

export type NewEvent = Omit<StoredEvent, 'seq'>

/** Writes an event in the running transaction and gives it its number. */
export function prepareWriteEvent(database: Database): (event: NewEvent) => StoredEvent {
  const insert = database.prepare<{ seq: number }>(`
    INSERT INTO events (account_id, kind, at, pin_id, delivery_id, data) VALUES (?, ?, ?, ?, ?, ?) RETURNING seq`)
  return (event) => {
    const { accountId, kind, at, pinId, deliveryId, data } = event
    const row = insert.get(accountId, kind, at, pinId, deliveryId ?? null, json(data) ?? '{}')
    if (!row) throw new Error('an event was not written')
    return { seq: row.seq, ...event }
  }
}

export function prepareEvents(database: Database) {
  const after = database.prepare<EventRow>(`
    SELECT seq, account_id, kind, at, pin_id, delivery_id, data FROM events
    WHERE account_id = ? AND seq > ? ORDER BY seq LIMIT ?`)
  const last = database.prepare<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
  return {
    after: (accountId: string, seq: number, most: number) => after.all(accountId, seq, most).map(eventOf),
    lastSeq: () => last.get()?.seq ?? 0,
  }
}

/** Whoever listens for events of this process. A listener that throws harms neither the store nor the others. */
export function makeListeners(log: Log) {
  const listeners = new Set<{ hear: (event: StoredEvent) => void }>()
  return {
    add(hear: (event: StoredEvent) => void): () => void {
      const listener = { hear } // its own object: the same function may listen twice
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    publish(event: StoredEvent): void {
      for (const { hear } of listeners) {
        try {
          hear(event)
        } catch (error) {
          log.error({ err: error, seq: event.seq }, 'a listener of events failed')
        }
      }
    },
  }
}
