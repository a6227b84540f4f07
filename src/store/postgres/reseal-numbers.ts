import type { Numbers } from '../numbers.ts'
import type { Database } from './database.ts'

export type Reseal = { after: string; most: number }
export type Resealed = { resealed: number; last?: string }

const PINS_PER_SLICE = 500

/** Seals the numbers of the next PINs with the current key, slice by slice. A PIN that was removed meanwhile stays so. */
export function makeResealNumbers(database: Database, numbers: Numbers): (reseal: Reseal) => Promise<Resealed> {
  const next = {
    name: 'pins to reseal',
    text: 'SELECT pin_id, to_sealed FROM pins WHERE pin_id > $1 ORDER BY pin_id LIMIT $2',
  }
  const update = {
    name: 'reseal pins',
    text: `UPDATE pins p SET to_sealed = x.sealed, to_hash = x.hash
      FROM json_to_recordset($1) AS x(pin text, sealed text, hash text) WHERE p.pin_id = x.pin`,
  }

  return async ({ after, most }) => {
    let resealed = 0
    for (let last = after, left = most; left > 0; ) {
      const size = Math.min(PINS_PER_SLICE, left)
      const rows = await database.query<{ pin_id: string; to_sealed: string }>(next, [last, size])
      const old = rows.filter((row) => !numbers.isCurrent(row.to_sealed))
      const sealed = old.map(({ pin_id: pin, to_sealed }) => {
        const number = numbers.open(to_sealed, pin)
        return { pin, sealed: numbers.seal(number, pin), hash: numbers.hash(number) }
      })
      if (sealed.length > 0) await database.query(update, [JSON.stringify(sealed)])
      resealed += old.length
      left -= rows.length
      const end = rows.at(-1)
      if (rows.length < size || !end) return { resealed }
      last = end.pin_id
      if (left <= 0) return { resealed, last }
    }
    return { resealed }
  }
}
