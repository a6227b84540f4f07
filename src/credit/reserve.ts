import { callPrice, type Micros } from '../money.ts'

export type Price = { pricePerMinute: Micros; incrementS: number }

/** What to hold back before dialling: the longest allowed call over the dearest way it can take. */
export function ceilingOf(prices: readonly Price[], longestCallMs: number): Micros {
  return Math.max(0, ...prices.map((price) => callPrice(price.pricePerMinute, longestCallMs / 1000, price.incrementS)))
}

/** What a call cost: nothing unless it was answered, else its time from answer to end. */
export function chargeFor(price: Price, answeredMs: number | undefined): Micros {
  return answeredMs === undefined
    ? 0
    : callPrice(price.pricePerMinute, Math.max(answeredMs, 1) / 1000, price.incrementS)
}
