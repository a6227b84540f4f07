import type { Progress } from '../events/index.ts'
import type { Job } from '../store/types.ts'
import type { DeliveryDeps, Ending } from './types.ts'

/** Tells who listens now which step a delivery is at. */
export function tell(deps: DeliveryDeps, job: Job, step: Progress['step']): void {
  const { accountId, deliveryId } = job.delivery
  deps.events.tell({ accountId, pinId: job.pin.pinId, deliveryId, step, at: deps.clock.now() })
}

/** Writes how an attempt, and with `final` the delivery, ended: attempt, money and event in one transaction. */
export function close(deps: DeliveryDeps, job: Job, end: Ending, final: boolean): Promise<boolean> {
  return deps.store.closeAttempt({
    deliveryId: job.delivery.deliveryId,
    nodeId: deps.nodeId,
    ...(end.attemptId && { attemptId: end.attemptId }),
    disposition: end.disposition,
    evidence: end.evidence,
    chargeMicros: end.chargeMicros,
    final,
    event: { disposition: end.disposition, channel: job.delivery.channel },
    now: deps.clock.now(),
  })
}
