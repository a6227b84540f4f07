import type { Channel, Job } from '../store/types.ts'
import { CHANNELS } from '../store/types.ts'
import { deliverBySms } from './channels/sms.ts'
import { deliverByVoice } from './channels/voice.ts'
import { close, tell } from './close-attempt.ts'
import { LOST_LEASE } from './lease.ts'
import type { DeliveryDeps, Ending } from './types.ts'

/** Owed work is also looked for without being woken: another process may have owed it, or a wake was lost. */
const POLL_MS = 2000

export type Deliveries = {
  /** Work of this channel is owed: take it now. */
  wake(channel: Channel): void
  readonly running: number
  /** Takes nothing new; waits for what runs, at most `ms`, then ends it and waits for that. */
  drain(ms: number): Promise<void>
}

/** Claims what is owed and carries it out, so many at a time. Call `recover` of the store before. */
export function runDeliveries(deps: DeliveryDeps): Deliveries {
  const running = new Map<string, { channel: Channel; done: Promise<void> }>()
  const looking: Record<Channel, boolean> = { voice: false, sms: false }
  const again: Record<Channel, boolean> = { voice: false, sms: false }
  const stop = new AbortController()
  let draining = false

  async function take(channel: Channel): Promise<void> {
    again[channel] = true
    if (looking[channel]) return
    looking[channel] = true
    try {
      while (again[channel] && !draining) {
        again[channel] = false
        const up = [...running.values()].filter((one) => one.channel === channel).length
        const most = Math.min(deps.most[channel] - up, 100)
        if (most <= 0) break // whoever ends next looks again
        const { nodeId, leaseMs, clock } = deps
        const jobs = await deps.store.claimDeliveries({ nodeId, channel, most, leaseMs, now: clock.now() })
        for (const job of jobs)
          if (draining) await deps.store.unclaim(job.delivery.deliveryId, nodeId)
          else begin(channel, job)
        if (jobs.length === most) again[channel] = true
      }
    } catch (error) {
      deps.log.error({ err: error, channel }, 'owed deliveries could not be claimed: trying again shortly')
    } finally {
      looking[channel] = false
    }
  }

  function begin(channel: Channel, job: Job): void {
    const { deliveryId } = job.delivery
    const done = deliver(deps, job, stop.signal).finally(() => {
      running.delete(deliveryId)
      if (!draining) void take(channel)
    })
    running.set(deliveryId, { channel, done })
  }

  let poll = deps.clock.after(POLL_MS, lookAround)
  function lookAround(): void {
    for (const channel of CHANNELS) void take(channel)
    poll = deps.clock.after(POLL_MS, lookAround)
  }
  let lease = deps.clock.after(deps.leaseMs / 3, extend)
  function extend(): void {
    lease = deps.clock.after(deps.leaseMs / 3, extend)
    if (running.size === 0) return
    deps.store
      .extendLeases({ nodeId: deps.nodeId, leaseMs: deps.leaseMs, now: deps.clock.now() })
      .catch((error) => deps.log.error({ err: error }, 'leases could not be extended'))
  }

  return {
    wake: (channel) => void take(channel),
    get running() {
      return running.size
    },
    async drain(ms) {
      draining = true
      poll.cancel()
      const all = () => Promise.all([...running.values()].map((one) => one.done))
      const late = deps.clock.after(ms, () => stop.abort(new Error('the server is shutting down')))
      while (running.size > 0) await all() // a claim that was under way may still have brought some
      late.cancel()
      lease.cancel()
    },
  }
}

/** One delivery from claim to close. Never rejects: what goes wrong is how it ended. */
async function deliver(deps: DeliveryDeps, job: Job, signal: AbortSignal): Promise<void> {
  const { deliveryId, channel } = job.delivery
  let end: Ending | typeof LOST_LEASE
  try {
    end = await carryOut(deps, job, signal)
  } catch (error) {
    deps.log.error({ err: error, deliveryId }, 'delivery failed by a fault of ours')
    end = { disposition: 'fault', evidence: { detail: 'an internal fault: see the log' }, chargeMicros: 0 }
  }
  if (end === LOST_LEASE) {
    deps.log.warn({ deliveryId }, 'delivery was taken over by another node')
    return
  }
  try {
    const written = await close(deps, job, end, true)
    tell(deps, job, 'ended')
    deps.observe({ kind: 'closed', channel, disposition: end.disposition, ...(end.trunk && { trunk: end.trunk }) })
    const { disposition } = end
    if (channel === 'voice')
      deps.log.info({ deliveryId, to: job.pin.to, disposition, written, ...brief(end) }, 'call ended')
  } catch (error) {
    deps.log.error({ err: error, deliveryId }, 'the end of a delivery could not be written: recovery will close it')
  }
}

async function carryOut(deps: DeliveryDeps, job: Job, signal: AbortSignal): Promise<Ending | typeof LOST_LEASE> {
  if (job.pin.expiresAt <= deps.clock.now()) {
    return { disposition: 'expired', evidence: { detail: 'the PIN expired before it could be sent' }, chargeMicros: 0 }
  }
  return job.delivery.channel === 'voice' ? deliverByVoice(deps, job, signal) : deliverBySms(deps, job)
}

/** The few facts of a call that a log line is read for. */
function brief(end: Ending): Record<string, unknown> {
  const { trunk, sipStatus, verdict, readings } = end.evidence
  return { trunk, sipStatus, verdict, readings }
}
