import { isUnavailable } from '../errors.ts'
import type { BeginAttempt, Begun, Job } from '../store/types.ts'
import type { DeliveryDeps } from './types.ts'

/** Writes that an attempt begins; `away` where it is not known to be written: then nothing may leave, just as for `lost`. */
export async function beginAttempt(
  deps: DeliveryDeps,
  job: Job,
  attempt: Pick<BeginAttempt, 'attemptId' | 'trunk' | 'limits'>,
): Promise<Begun | { kind: 'away' }> {
  const { deliveryId } = job.delivery
  const { nodeId, clock } = deps
  try {
    const begun = await deps.store.beginAttempt({ ...attempt, deliveryId, nodeId, now: clock.now() })
    if (begun.kind === 'begun') deps.observe({ kind: 'dialled', afterMs: clock.now() - job.delivery.createdAt })
    return begun
  } catch (error) {
    if (!isUnavailable(error)) throw error
    return { kind: 'away' }
  }
}
