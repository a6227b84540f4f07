import { isUnavailable } from '../errors.ts'
import type { Job } from '../store/types.ts'
import { deliverBySms } from './channels/sms.ts'
import { deliverByVoice } from './channels/voice.ts'
import { close, tell } from './close-attempt.ts'
import { GIVE_BACK, LOST_LEASE, type NotOurs } from './lease.ts'
import { persist } from './persist.ts'
import type { DeliveryDeps, Ending, Until } from './types.ts'

/** A database that was away a moment ago is given so long before the delivery is claimed and tried anew. */
const BEFORE_GIVING_BACK_MS = 1000

/** One delivery from claim to close. Never rejects: what goes wrong is how it ended. */
export async function deliver(deps: DeliveryDeps, job: Job, until: Until): Promise<void> {
  const { deliveryId } = job.delivery
  try {
    const end = await carryOut(deps, job, until)
    if (end === LOST_LEASE) {
      deps.observe({ kind: 'lease_lost' })
      deps.log.warn({ deliveryId }, 'delivery was taken over by another node')
    } else if (end === GIVE_BACK) await giveBack(deps, job, until)
    else await write(deps, job, end, until)
  } catch (error) {
    deps.log.error({ err: error, deliveryId }, 'the end of a delivery could not be written: recovery will close it')
  }
}

async function carryOut(deps: DeliveryDeps, job: Job, until: Until): Promise<Ending | NotOurs> {
  if (job.pin.expiresAt <= deps.clock.now()) {
    return { disposition: 'expired', evidence: { detail: 'the PIN expired before it could be sent' }, chargeMicros: 0 }
  }
  try {
    return await (job.delivery.channel === 'voice' ? deliverByVoice(deps, job, until) : deliverBySms(deps, job))
  } catch (error) {
    if (isUnavailable(error)) throw error
    deps.log.error({ err: error, deliveryId: job.delivery.deliveryId }, 'delivery failed by a fault of ours')
    return { disposition: 'fault', evidence: { detail: 'an internal fault: see the log' }, chargeMicros: 0 }
  }
}

async function write(deps: DeliveryDeps, job: Job, end: Ending, until: Until): Promise<void> {
  const { deliveryId, channel } = job.delivery
  const { disposition, trunk } = end
  const written = await close(deps, job, end, true, until.giveUp)
  tell(deps, job, 'ended')
  deps.observe({ kind: 'closed', channel, disposition, ...(trunk && { trunk }) })
  if (channel === 'voice')
    deps.log.info({ deliveryId, to: job.pin.to, disposition, written, ...brief(end) }, 'call ended')
}

/** Nothing has left for it. Where it can not be given back while the lease lasts, it is owed again when that is over. */
async function giveBack(deps: DeliveryDeps, job: Job, until: Until): Promise<void> {
  const { clock, nodeId, leaseMs } = deps
  const { deliveryId } = job.delivery
  const lapse = new AbortController()
  const timer = clock.after(leaseMs, () => lapse.abort())
  const giveUp = AbortSignal.any([until.giveUp, lapse.signal])
  try {
    await clock.wait(BEFORE_GIVING_BACK_MS, giveUp).catch(() => {})
    await persist(deps, { deliveryId, what: 'a delivery given back' }, giveUp, () =>
      deps.store.unclaim(deliveryId, nodeId),
    )
    deps.log.warn({ deliveryId }, 'the database was away when an attempt was to begin: nothing left, it is owed again')
  } catch (error) {
    if (!isUnavailable(error)) throw error
    deps.log.warn({ deliveryId }, 'the database is away, and nothing left: it is owed again once its lease is over')
  } finally {
    timer.cancel()
  }
}

/** The few facts of a call that a log line is read for. */
function brief(end: Ending): Record<string, unknown> {
  const { trunk, sipStatus, verdict, readings } = end.evidence
  return { trunk, sipStatus, verdict, readings }
}
