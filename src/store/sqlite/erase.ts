import type { Numbers } from '../numbers.ts'
import type { Erased, Removed } from '../types.ts'
import type { Database } from './database.ts'
import { prepareFoldSettlements } from './fold-settlements.ts'
import { NOTHING, prepareRemovePins, sumOf } from './remove-pins.ts'
import { prepareWalkKeys } from './walk-keys.ts'
import type { WriteQueue } from './write-queue.ts'

const PINS_PER_SLICE = 50

type Slice = { removed: Removed; pinIds: string[]; inProgress: number; last?: string }

/** Forgets a person, slice by slice, with everybody else's writes between. */
export function prepareErase(
  database: Database,
  queue: WriteQueue,
  numbers: Numbers,
): (number: string) => Promise<Erased> {
  const walk = prepareWalkKeys(database, queue)
  const removePins = prepareRemovePins(database)
  const fold = prepareFoldSettlements(database)
  const pinsOf = database.prepare<{ pin_id: string; open: number }>(`
    SELECT pin_id, EXISTS (SELECT 1 FROM deliveries d WHERE d.pin_id = p.pin_id AND d.closed_at IS NULL) AS open
    FROM pins p INDEXED BY pins_of_number
    WHERE to_hash IN (SELECT value FROM json_each(?)) AND pin_id > ? ORDER BY pin_id LIMIT ${PINS_PER_SLICE}`)
  const removeCounters = database.prepare(`
    DELETE FROM counters WHERE key > ? AND key <= ?
      AND EXISTS (SELECT 1 FROM json_each(?) WHERE substr(counters.key, -length(value)) = value)`)
  const removeRecords = database.prepare(`
    DELETE FROM idempotency WHERE (account_id, key) > (?, ?) AND (account_id, key) <= (?, ?)
      AND pin_id IN (SELECT value FROM json_each(?))`)

  /** The next PINs of the number; those of which a delivery is on its way stay. */
  function pinSlice(hashes: string, after: string): Slice {
    const rows = pinsOf.all(hashes, after)
    const pinIds = rows.filter(({ open }) => open === 0).map((row) => row.pin_id)
    fold.ofPins(pinIds)
    const removed = removePins(pinIds)
    const last = rows.length === PINS_PER_SLICE ? rows.at(-1)?.pin_id : undefined
    return { removed, pinIds, inProgress: rows.length - pinIds.length, ...(last !== undefined && { last }) }
  }

  return async (number) => {
    const hashes = numbers.hashes(number)
    let removed = NOTHING
    let inProgress = 0
    const pinIds: string[] = []
    for (let after: string | undefined = ''; after !== undefined; ) {
      const here: string = after
      const slice = await queue.write(() => pinSlice(JSON.stringify(hashes), here))
      removed = sumOf(removed, slice.removed)
      inProgress += slice.inProgress
      pinIds.push(...slice.pinIds)
      after = slice.last
    }
    const endings = JSON.stringify(hashes.map((hash) => `:${hash}`))
    const counters = await walk.counters((after, last) => removeCounters.run(...after, ...last, endings))
    const ids = JSON.stringify(pinIds)
    if (pinIds.length > 0) await walk.idempotency((after, last) => removeRecords.run(...after, ...last, ids))
    return { ...removed, counters, inProgress }
  }
}
