import { type EventRow, eventOf } from '../rows.ts'
import type { StoredEvent } from '../types.ts'
import type { Database } from './database.ts'

export function makeEvents(database: Database) {
  const after = {
    name: 'events after',
    text: `SELECT seq, account_id, kind, at, pin_id, delivery_id, data FROM events
      WHERE account_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
  }
  const last = { name: 'last event', text: 'SELECT seq FROM event_heads WHERE account_id = $1' }
  return {
    async after(accountId: string, seq: number, most: number): Promise<StoredEvent[]> {
      return (await database.query<EventRow>(after, [accountId, seq, most])).map(eventOf)
    },
    async lastSeq(accountId: string): Promise<number> {
      const [row] = await database.query<{ seq: number }>(last, [accountId])
      return row?.seq ?? 0
    },
  }
}
