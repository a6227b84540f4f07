import type { Numbers } from '../numbers.ts'
import type { Counted } from '../types.ts'

/** The key a counter is kept under: a number stands in it as its keyed hash. */
export const counterKey = ({ key, number }: Counted, numbers: Numbers): string =>
  number === undefined ? key : `${key}:${numbers.hash(number)}`

type Raise = { key: string; ms: number; most: number; n: number; first: number; last: number }

/** What a batch counts, added up by counter. */
export function countersOf(batch: readonly { counted: Counted[]; now: number }[], numbers: Numbers): Raise[] {
  const raises = new Map<string, Raise>()
  for (const { counted, now } of batch) {
    for (const each of counted) {
      const key = counterKey(each, numbers)
      const raise = raises.get(key)
      if (raise) {
        raise.n++
        raise.first = Math.min(raise.first, now)
        raise.last = Math.max(raise.last, now)
      } else raises.set(key, { key, ms: each.windowMs, most: each.count, n: 1, first: now, last: now })
    }
  }
  return [...raises.values()]
}

/** Counters of one request, for a routine that raises them one by one. */
export const countedJson = (counted: readonly Counted[], numbers: Numbers) =>
  counted.map((each) => ({ key: counterKey(each, numbers), name: each.name, ms: each.windowMs, most: each.count }))
