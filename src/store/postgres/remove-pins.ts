import type { Removed } from '../types.ts'
import type { Database } from './database.ts'
import { routine } from './routines.ts'

/**
 * Removes those PINs none of whose deliveries is open, with all that hangs on them but their money. Their rows are held
 * before it is asked what is open: a resend either was before, and is seen, or finds no PIN any more.
 */
export const removePins = routine(
  'remove_pins',
  'candidates text[]',
  'TABLE (ids text[], pins_gone bigint, deliveries_gone bigint, attempts_gone bigint, events_gone bigint)',
  `
BEGIN
  PERFORM 1 FROM pins p WHERE p.pin_id = ANY (candidates) ORDER BY p.pin_id FOR UPDATE;
  ids := ARRAY(SELECT p.pin_id FROM pins p WHERE p.pin_id = ANY (candidates)
    AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.pin_id = p.pin_id AND d.closed_at IS NULL));
  DELETE FROM attempts a USING deliveries d WHERE d.pin_id = ANY (ids) AND a.delivery_seq = d.seq;
  GET DIAGNOSTICS attempts_gone = ROW_COUNT;
  DELETE FROM deliveries d WHERE d.pin_id = ANY (ids);
  GET DIAGNOSTICS deliveries_gone = ROW_COUNT;
  DELETE FROM events e WHERE e.pin_id = ANY (ids);
  GET DIAGNOSTICS events_gone = ROW_COUNT;
  DELETE FROM pins p WHERE p.pin_id = ANY (ids);
  GET DIAGNOSTICS pins_gone = ROW_COUNT;
  RETURN NEXT;
END`,
)

export const NOTHING: Removed = { pins: 0, deliveries: 0, attempts: 0, events: 0 }

export const sumOf = (a: Removed, b: Removed): Removed => ({
  pins: a.pins + b.pins,
  deliveries: a.deliveries + b.deliveries,
  attempts: a.attempts + b.attempts,
  events: a.events + b.events,
})

type Row = {
  ids: string[]
  pins_gone: number
  deliveries_gone: number
  attempts_gone: number
  events_gone: number
}

export function makeRemovePins(database: Database) {
  const remove = { name: removePins.name, text: `SELECT * FROM ${removePins.name}($1)` }
  return async (candidates: readonly string[]): Promise<{ ids: string[]; removed: Removed }> => {
    if (candidates.length === 0) return { ids: [], removed: NOTHING }
    const [row] = await database.query<Row>(remove, [candidates])
    return {
      ids: row.ids,
      removed: {
        pins: row.pins_gone,
        deliveries: row.deliveries_gone,
        attempts: row.attempts_gone,
        events: row.events_gone,
      },
    }
  }
}
