import { isUnavailable } from '../errors.ts'
import type { Channel, Job } from '../store/types.ts'
import { deliver } from './deliver.ts'
import { keepLeases } from './keep-leases.ts'
import { lookAround } from './look-around.ts'
import type { DeliveryDeps } from './types.ts'

/** A full node tells others so at most this often. */
const ASK_MS = 1000
/** What has ended at shutdown is tried to be written for so long while the database is away; after that recovery ends it. */
const LAST_WORDS_MS = 5000

export type Deliveries = {
  /** Work of this channel is owed: take it now. */
  wake(channel: Channel): void
  readonly running: number
  /** Takes nothing new; waits for what runs, at most `ms`, then ends it and waits for that. */
  drain(ms: number): Promise<void>
}

/** Claims what is owed and carries it out, so many at a time. */
export function runDeliveries(deps: DeliveryDeps): Deliveries {
  const { store, clock, nodeId, leaseMs, log } = deps
  const running = new Map<string, Promise<void>>()
  const taking: Partial<Record<Channel, Promise<void>>> = {}
  const again: Record<Channel, boolean> = { voice: false, sms: false }
  /** The last claim left more behind, as far as we know: whoever ends next takes it. */
  const more: Record<Channel, boolean> = { voice: false, sms: false }
  const askedAt: Record<Channel, number> = { voice: -Infinity, sms: -Infinity }
  const stop = new AbortController()
  const giveUp = new AbortController()
  const until = { stop: stop.signal, giveUp: giveUp.signal }
  const up: Record<Channel, number> = { voice: 0, sms: 0 }
  let draining = false

  function take(channel: Channel): void {
    again[channel] = true
    taking[channel] ??= claim(channel).finally(() => {
      taking[channel] = undefined
      if (again[channel] && !draining) take(channel) // woken after the last look at it
    })
  }

  async function claim(channel: Channel): Promise<void> {
    try {
      while (again[channel] && !draining) {
        again[channel] = false
        const most = Math.min(deps.most[channel] - up[channel], 100)
        if (most <= 0) {
          more[channel] = true
          askForHelp(channel)
          break
        }
        const jobs = await store.claimDeliveries({ nodeId, channel, most, leaseMs, now: clock.now() })
        for (const job of jobs)
          if (draining) await store.unclaim(job.delivery.deliveryId, nodeId)
          else begin(channel, job)
        more[channel] = jobs.length === most
        if (more[channel]) again[channel] = true
      }
    } catch (error) {
      more[channel] = true // and the next look tries, too
      if (!isUnavailable(error)) log.error({ err: error, channel }, 'owed deliveries could not be claimed')
    }
  }

  function begin(channel: Channel, job: Job): void {
    const { deliveryId } = job.delivery
    if (running.has(deliveryId)) return // it was ours before its lease was over, and is again
    up[channel]++
    const done = deliver(deps, job, until).finally(() => {
      up[channel]--
      running.delete(deliveryId)
      if (more[channel] && !draining) take(channel)
    })
    running.set(deliveryId, done)
  }

  function askForHelp(channel: Channel): void {
    if (clock.monotonic() - askedAt[channel] < ASK_MS) return
    askedAt[channel] = clock.monotonic()
    store.askForHelp(channel)
  }

  const stopHelping = store.onHelpAsked((channel) => {
    if (!draining && up[channel] < deps.most[channel]) take(channel)
  })
  const stopListening = store.onEvent(({ kind, deliveryId, data }) => {
    if (kind !== 'delivery.corrected' || !deliveryId || !running.has(deliveryId)) return
    deps.observe({ kind: 'lease_lost' })
    const { disposition } = data
    log.warn(
      { deliveryId, disposition },
      'this node was slow and its delivery was ended as abandoned: now it has its true end',
    )
  })
  const leases = keepLeases(deps, () => [...running.keys()])
  const looks = lookAround(deps, { take, extend: leases.extend })

  return {
    wake: take,
    get running() {
      return running.size
    },
    async drain(ms) {
      draining = true
      stopHelping()
      const end = clock.after(ms, () => stop.abort(new Error('the server is shutting down')))
      const last = clock.after(ms + LAST_WORDS_MS, () => giveUp.abort())
      await looks.stop()
      const all = () => [...running.values(), ...Object.values(taking)] // a claim under way may still bring some
      while (all().some((each) => each !== undefined)) await Promise.all(all())
      end.cancel()
      last.cancel()
      stopListening()
      await leases.stop()
    },
  }
}
