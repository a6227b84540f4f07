import type { Numbers } from '../numbers.ts'
import type { Database } from './database.ts'
import type { WriteQueue } from './write-queue.ts'

export type Reseal = { after: string; most: number }
export type Resealed = { resealed: number; last?: string }

const PINS_PER_SLICE = 100

/** Seals the numbers of the next PINs with the current key, slice by slice, with everybody else's writes between. */
export function prepareResealNumbers(
  database: Database,
  queue: WriteQueue,
  numbers: Numbers,
): (reseal: Reseal) => Promise<Resealed> {
  const next = database.prepare<{ pin_id: string; to_sealed: string }>(
    'SELECT pin_id, to_sealed FROM pins WHERE pin_id > ? ORDER BY pin_id LIMIT ?',
  )
  const update = database.prepare('UPDATE pins SET to_sealed = ?, to_hash = ? WHERE pin_id = ?')

  function slice(after: string, most: number): { looked: number; resealed: number; last: string } {
    const rows = next.all(after, most)
    const old = rows.filter((row) => !numbers.isCurrent(row.to_sealed))
    for (const { pin_id: pinId, to_sealed: sealed } of old) {
      const number = numbers.open(sealed, pinId)
      update.run(numbers.seal(number, pinId), numbers.hash(number), pinId)
    }
    return { looked: rows.length, resealed: old.length, last: rows.at(-1)?.pin_id ?? after }
  }

  return async ({ after, most }) => {
    let resealed = 0
    let last = after
    for (let left = most; left > 0; ) {
      const size = Math.min(PINS_PER_SLICE, left)
      const here = last
      const done = await queue.write(() => slice(here, size))
      resealed += done.resealed
      last = done.last
      left -= done.looked
      if (done.looked < size) return { resealed }
    }
    return { resealed, last }
  }
}
