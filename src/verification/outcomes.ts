import type { Clock } from '../clock.ts'
import { notFound } from '../errors.ts'
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

  return {
    async outcomeOf(accountId: string, deliveryId: string, waitMs: number): Promise<Delivery> {
      const until = deps.clock.monotonic() + waitMs
      for (;;) {
        const left = until - deps.clock.monotonic()
        const next = nextEvent(deliveryId, Math.max(0, Math.min(left, POLL_MS))) // before the read: nothing slips between
        const delivery = await deps.store.findDelivery(accountId, deliveryId)
        if (!delivery || delivery.disposition !== undefined || left <= 0) {
          next.cancel()
          if (!delivery) throw notFound('The call')
          return delivery
        }
        await next.promise
      }
    },
  }
}
