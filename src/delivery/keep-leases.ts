import type { DeliveryDeps } from './types.ts'

/** Says in time, and says again soon where it could not be said, that what runs here is alive. */
export function keepLeases(
  deps: Pick<DeliveryDeps, 'clock' | 'log' | 'store' | 'nodeId' | 'leaseMs'>,
  running: () => string[],
) {
  const { clock, store, nodeId, leaseMs } = deps
  let ended = false
  let said = false
  let extending: Promise<unknown> = Promise.resolve()
  let timer = clock.after(leaseMs / 3, again)

  /** Whether it is written. */
  async function extend(): Promise<boolean> {
    const deliveryIds = running()
    if (deliveryIds.length === 0) return true
    try {
      await store.extendLeases({ nodeId, deliveryIds, leaseMs, now: clock.now() })
      said = false
      return true
    } catch (error) {
      if (!said)
        deps.log.warn({ err: error, deliveries: deliveryIds.length }, 'leases could not be extended: trying on')
      said = true
      return false
    }
  }

  function again(): void {
    extending = extend().then((written) => {
      if (!ended) timer = clock.after(written ? leaseMs / 3 : leaseMs / 15, again)
    })
  }

  return {
    extend,
    async stop(): Promise<void> {
      ended = true
      timer.cancel()
      await extending
    },
  }
}
