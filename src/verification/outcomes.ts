import type { Clock } from '../clock.ts'
import { isUnavailable, notFound, type PincallError } from '../errors.ts'
import type { Delivery, Store } from '../store/types.ts'

/** How often a waiting request looks at the row itself: an event of another process, or one that was missed, still arrives. */
const POLL_MS = 1000

/** Lets requests wait for how a delivery ends. Whoever waits reads it from the event, never from the call. */
export function makeOutcomes(deps: { clock: Clock; store: Pick<Store, 'findDelivery' | 'onEvent'> }) {
  const waiting = new Map<string, Set<() => void>>()
  deps.store.onEvent((event) => {
    if (event.deliveryId) for (const wake of [...(waiting.get(event.deliveryId) ?? [])]) wake()
  })

  /** Resolves at the delivery's next event, or after `ms`. */
  function nextEvent(deliveryId: string, ms: number): { promise: Promise<void>; cancel(): void } {
    const wakers = waiting.get(deliveryId) ?? new Set()
    waiting.set(deliveryId, wakers)
    let end: () => void
    const promise = new Promise<void>((resolve) => {
      const timer = deps.clock.after(ms, () => end())
      end = () => {
        timer.cancel()
        wakers.delete(end)
        if (wakers.size === 0) waiting.delete(deliveryId)
        resolve()
      }
      wakers.add(end)
    })
    return { promise, cancel: () => end() }
  }

  /** The row as it is; where the database is away, the error that says so. */
  const read = (accountId: string, deliveryId: string): Promise<Delivery | PincallError | undefined> =>
    deps.store.findDelivery(accountId, deliveryId).catch((error) => {
      if (isUnavailable(error)) return error
      throw error
    })

  return {
    /** A database that is away does not end the waiting. Rejects with `unavailable` where it never answered meanwhile. */
    async outcomeOf(accountId: string, deliveryId: string, waitMs: number): Promise<Delivery> {
      const until = deps.clock.monotonic() + waitMs
      let known: Delivery | undefined
      for (;;) {
        const left = until - deps.clock.monotonic()
        const next = nextEvent(deliveryId, Math.max(0, Math.min(left, POLL_MS))) // before the read: nothing slips between
        let found: Delivery | PincallError | undefined
        try {
          found = await read(accountId, deliveryId)
          if (!found) throw notFound('The call')
        } catch (error) {
          next.cancel()
          throw error
        }
        if (!(found instanceof Error)) known = found
        if (known?.disposition !== undefined || left <= 0) {
          next.cancel()
          if (known) return known
          throw found
        }
        await next.promise
      }
    },
  }
}
