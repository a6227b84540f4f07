import type { Database } from './database.ts'
import type { WriteQueue } from './write-queue.ts'

/** So many rows are looked at in one queue slot: about a millisecond, so that a walk past millions holds nobody up. */
const ROWS_PER_SLICE = 2000

/**
 * Walks counters and idempotency records in slices along their keys, (`after`, `last`] each, and adds up what each slice
 * answers. They have no index by anything else, which each of the millions of writes between two walks would have to pay for.
 */
export function prepareWalkKeys(database: Database, queue: WriteQueue) {
  const counterSlice = database.prepare<{ last: string | null }>(`
    SELECT max(key) AS last FROM (SELECT key FROM counters WHERE key > ? ORDER BY key LIMIT ${ROWS_PER_SLICE})`)
  const recordSlice = database.prepare<{ account_id: string; key: string }>(`
    SELECT account_id, key FROM (SELECT account_id, key FROM idempotency WHERE (account_id, key) > (?, ?)
      ORDER BY account_id, key LIMIT ${ROWS_PER_SLICE}) ORDER BY account_id DESC, key DESC LIMIT 1`)

  async function walk<Key extends string[]>(
    first: Key,
    lastAfter: (after: Key) => Key | undefined,
    slice: (after: Key, last: Key) => number,
  ): Promise<number> {
    let count = 0
    for (let after: Key | undefined = first; after; ) {
      const here: Key = after
      after = await queue.write(() => {
        const last = lastAfter(here)
        if (last) count += slice(here, last)
        return last
      })
    }
    return count
  }

  return {
    counters(slice: (after: [key: string], last: [key: string]) => number): Promise<number> {
      const lastAfter = ([after]: [string]): [string] | undefined => {
        const last = counterSlice.get(after)?.last ?? undefined
        return last === undefined ? undefined : [last]
      }
      return walk([''], lastAfter, slice)
    },
    idempotency(slice: (after: [account: string, key: string], last: [string, string]) => number): Promise<number> {
      const lastAfter = (after: [string, string]): [string, string] | undefined => {
        const last = recordSlice.get(...after)
        return last && [last.account_id, last.key]
      }
      return walk(['', ''], lastAfter, slice)
    },
  }
}
