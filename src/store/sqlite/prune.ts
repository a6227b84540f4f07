import type { Removed } from '../types.ts'
import type { Database } from './database.ts'
import { prepareFoldSettlements } from './fold-settlements.ts'
import { NOTHING, prepareRemovePins, sumOf } from './remove-pins.ts'
import type { WriteQueue } from './write-queue.ts'

export type Prune = { accountId: string; before: number; most: number }

/** So many in one queue slot: a millisecond or two. */
const PINS_PER_SLICE = 50
const EVENTS_PER_SLICE = 500
const SETTLEMENTS_PER_SLICE = 500

/** A place among an application's PINs, oldest first. */
type Place = { createdAt: number; pinId: string }

/** Removes what is old, slice by slice, with everybody else's writes between. What is kept is walked past, not met again and again. */
export function preparePrune(database: Database, queue: WriteQueue): (prune: Prune) => Promise<Removed> {
  const removePins = prepareRemovePins(database)
  const fold = prepareFoldSettlements(database)
  const applications = database.prepare<{ application_id: string }>(
    'SELECT application_id FROM applications WHERE account_id = ?',
  )
  const oldPins = database.prepare<{ pin_id: string; created_at: number; over: number }>(`
    SELECT p.pin_id, p.created_at, p.expires_at <= ?2 AND NOT EXISTS
      (SELECT 1 FROM deliveries d WHERE d.pin_id = p.pin_id AND d.closed_at IS NULL) AS over
    FROM pins p INDEXED BY pins_of_application
    WHERE p.application_id = ?1 AND p.created_at < ?2 AND (p.created_at, p.pin_id) > (?3, ?4)
    ORDER BY p.created_at, p.pin_id LIMIT ?5`)
  const firstEvents = database.prepare<{ seq: number; at: number }>(
    'SELECT seq, at FROM events WHERE account_id = ? ORDER BY seq LIMIT ?',
  )
  const removeEvents = database.prepare('DELETE FROM events WHERE account_id = ? AND seq <= ?')

  /** Looks at the next PINs, and removes those that are over, `most` at most; `next` is absent at the end. */
  function pinSlice(
    applicationId: string,
    before: number,
    from: Place,
    most: number,
  ): { removed: Removed; next?: Place } {
    const rows = oldPins.all(applicationId, before, from.createdAt, from.pinId, PINS_PER_SLICE)
    const over = rows.filter((row) => row.over === 1).slice(0, most)
    const removed = removePins(over.map((row) => row.pin_id))
    const last = rows.length === PINS_PER_SLICE ? rows.at(-1) : undefined
    return { removed, ...(last && { next: { createdAt: last.created_at, pinId: last.pin_id } }) }
  }

  async function prunePins(applicationId: string, before: number, most: number): Promise<Removed> {
    let removed = NOTHING
    let from: Place | undefined = { createdAt: Number.MIN_SAFE_INTEGER, pinId: '' }
    while (from && removed.pins < most) {
      const here: Place = from
      const left = most - removed.pins
      const slice = await queue.write(() => pinSlice(applicationId, before, here, left))
      removed = sumOf(removed, slice.removed)
      from = slice.next
    }
    return removed
  }

  /** Events stand in the order of their time, but for a clock's jump: up to the first that is to stay. */
  function eventSlice(accountId: string, before: number, most: number): number {
    const rows = firstEvents.all(accountId, most)
    const kept = rows.findIndex(({ at }) => at >= before)
    const last = rows.at(kept === -1 ? rows.length - 1 : kept - 1)
    return kept === 0 || !last ? 0 : removeEvents.run(accountId, last.seq)
  }

  /** Repeats a slice until it does less than it might. */
  async function walk(most: number, perSlice: number, slice: (size: number) => number): Promise<number> {
    for (let done = 0; ; ) {
      const size = Math.min(perSlice, most - done)
      const here = size > 0 ? await queue.write(() => slice(size)) : 0
      done += here
      if (here < size || size <= 0) return done
    }
  }

  return async ({ accountId, before, most }) => {
    let removed = NOTHING
    for (const { application_id: applicationId } of applications.all(accountId)) {
      removed = sumOf(removed, await prunePins(applicationId, before, most - removed.pins))
    }
    const events = await walk(most, EVENTS_PER_SLICE, (size) => eventSlice(accountId, before, size))
    await walk(Number.POSITIVE_INFINITY, SETTLEMENTS_PER_SLICE, (size) => fold.before(accountId, before, size))
    return sumOf(removed, { ...NOTHING, events })
  }
}
