import type { Removed } from '../types.ts'
import type { Database } from './database.ts'
import { makeFoldSettlements } from './fold-settlements.ts'
import { makeRemovePins, NOTHING, sumOf } from './remove-pins.ts'

export type Prune = { accountId: string; before: number; most: number }

const PINS_PER_SLICE = 200
const ROWS_PER_SLICE = 2000

type Place = { createdAt: number; pinId: string }

/** Removes what is old, slice by slice, each a short transaction. What is kept is walked past, not met again and again. */
export function makePrune(database: Database): (prune: Prune) => Promise<Removed> {
  const removePins = makeRemovePins(database)
  const fold = makeFoldSettlements(database)
  const applications = {
    name: 'applications to prune',
    text: 'SELECT application_id FROM applications WHERE account_id = $1 ORDER BY application_id',
  }
  const oldPins = {
    name: 'old pins',
    text: `SELECT pin_id, created_at, expires_at <= $2 AS over FROM pins
      WHERE application_id = $1 AND created_at < $2 AND (created_at, pin_id) > ($3, $4)
      ORDER BY created_at, pin_id LIMIT $5`,
  }
  const removeEvents = {
    name: 'remove old events',
    text: `
      WITH first AS (SELECT seq, at FROM events WHERE account_id = $1 ORDER BY seq LIMIT $3),
      kept AS (SELECT min(seq) AS seq FROM first WHERE at >= $2)
      DELETE FROM events e USING first f, kept k
      WHERE e.account_id = $1 AND e.seq = f.seq AND f.seq < coalesce(k.seq, 9223372036854775807) RETURNING 1`,
  }

  async function prunePins(applicationId: string, before: number, most: number): Promise<Removed> {
    let removed = NOTHING
    let from: Place | undefined = { createdAt: Number.MIN_SAFE_INTEGER, pinId: '' }
    while (from && removed.pins < most) {
      const rows: { pin_id: string; created_at: number; over: boolean }[] = await database.query(oldPins, [
        applicationId,
        before,
        from.createdAt,
        from.pinId,
        PINS_PER_SLICE,
      ])
      const over = rows.filter((row) => row.over).slice(0, most - removed.pins)
      const done = await removePins(over.map((row) => row.pin_id))
      removed = sumOf(removed, done.removed)
      const last = rows.at(-1)
      from = last && rows.length === PINS_PER_SLICE ? { createdAt: last.created_at, pinId: last.pin_id } : undefined
    }
    return removed
  }

  /** Repeats a slice until it does less than it might. */
  async function walk(most: number, slice: (size: number) => Promise<number>): Promise<number> {
    for (let done = 0; ; ) {
      const size = Math.min(ROWS_PER_SLICE, most - done)
      const here = size > 0 ? await slice(size) : 0
      done += here
      if (here < size || size <= 0) return done
    }
  }

  return async ({ accountId, before, most }) => {
    let removed = NOTHING
    const owned = await database.query<{ application_id: string }>(applications, [accountId])
    for (const { application_id: applicationId } of owned) {
      removed = sumOf(removed, await prunePins(applicationId, before, most - removed.pins))
    }
    const events = await walk(
      most,
      async (size) => (await database.query(removeEvents, [accountId, before, size])).length,
    )
    await walk(Number.POSITIVE_INFINITY, (size) => fold.before(accountId, before, size))
    return sumOf(removed, { ...NOTHING, events })
  }
}
