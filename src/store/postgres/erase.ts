import type { Numbers } from '../numbers.ts'
import type { Erased } from '../types.ts'
import type { Database } from './database.ts'
import { makeFoldSettlements } from './fold-settlements.ts'
import { makeRemovePins, NOTHING, sumOf } from './remove-pins.ts'

const PINS_PER_SLICE = 200

/** Forgets a person, slice by slice. Counters and idempotency records have no index by number: they are read through once. */
export function makeErase(database: Database, numbers: Numbers): (number: string) => Promise<Erased> {
  const removePins = makeRemovePins(database)
  const fold = makeFoldSettlements(database)
  const pinsOf = {
    name: 'pins of number',
    text: `SELECT pin_id, EXISTS (SELECT 1 FROM deliveries d WHERE d.pin_id = p.pin_id AND d.closed_at IS NULL) AS open
      FROM pins p WHERE to_hash = ANY ($1) AND pin_id > $2 ORDER BY pin_id LIMIT ${PINS_PER_SLICE}`,
  }
  const counters = {
    name: 'erase counters',
    text: 'DELETE FROM counters WHERE right(key, 23) = ANY ($1) RETURNING 1',
  }
  const records = { name: 'erase idempotency', text: 'DELETE FROM idempotency WHERE pin_id = ANY ($1)' }

  return async (number) => {
    const hashes = numbers.hashes(number)
    let removed = NOTHING
    let inProgress = 0
    for (let after: string | undefined = ''; after !== undefined; ) {
      const rows: { pin_id: string; open: boolean }[] = await database.query(pinsOf, [hashes, after])
      const closed = rows.filter(({ open }) => !open).map((row) => row.pin_id)
      await fold.ofPins(closed)
      const done = await removePins(closed)
      removed = sumOf(removed, done.removed)
      inProgress += rows.length - done.ids.length
      if (done.ids.length > 0) await database.query(records, [done.ids])
      after = rows.length === PINS_PER_SLICE ? rows.at(-1)?.pin_id : undefined
    }
    const raised = await database.query(counters, [hashes.map((hash) => `:${hash}`)])
    return { ...removed, counters: raised.length, inProgress }
  }
}
