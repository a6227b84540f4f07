import type { Removed } from '../types.ts'
import type { Database } from './database.ts'

export const NOTHING: Removed = { pins: 0, deliveries: 0, attempts: 0, events: 0 }

export const sumOf = (a: Removed, b: Removed): Removed => ({
  pins: a.pins + b.pins,
  deliveries: a.deliveries + b.deliveries,
  attempts: a.attempts + b.attempts,
  events: a.events + b.events,
})

/** Removes PINs, none of which has an open delivery, with all that hangs on them but their money. */
export function prepareRemovePins(database: Database): (pinIds: readonly string[]) => Removed {
  const those = '(SELECT value FROM json_each(?))'
  const attempts = database.prepare(`
    DELETE FROM attempts WHERE delivery_seq IN (SELECT seq FROM deliveries WHERE pin_id IN ${those})`)
  const deliveries = database.prepare(`DELETE FROM deliveries WHERE pin_id IN ${those}`)
  const events = database.prepare(`DELETE FROM events WHERE pin_id IN ${those}`)
  const pins = database.prepare(`DELETE FROM pins WHERE pin_id IN ${those}`)

  return (pinIds) => {
    if (pinIds.length === 0) return NOTHING
    const ids = JSON.stringify(pinIds)
    return {
      attempts: attempts.run(ids),
      deliveries: deliveries.run(ids),
      events: events.run(ids),
      pins: pins.run(ids),
    }
  }
}
