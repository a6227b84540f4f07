import type { Progress } from '../events/index.ts'
import type { CloseAttempt, Job } from '../store/types.ts'
import { persist } from './persist.ts'
import type { DeliveryDeps, Ending } from './types.ts'

/** Tells who listens now which step a delivery is at. */
export function tell(deps: DeliveryDeps, job: Job, step: Progress['step']): void {
  const { accountId, deliveryId } = job.delivery
  deps.events.tell({ accountId, pinId: job.pin.pinId, deliveryId, step, at: deps.clock.now() })
}

/**
 * Writes how an attempt, and with `final` the delivery, ended: attempt, money and event in one transaction, at the time at
 * which it ended however long the database was away. False where it was closed before.
 */
export function close(
  deps: DeliveryDeps,
  job: Job,
  end: Ending,
  final: boolean,
  giveUp: AbortSignal,
): Promise<boolean> {
  const { deliveryId } = job.delivery
  const closing: CloseAttempt = {
    deliveryId,
    nodeId: deps.nodeId,
    ...(end.attemptId && { attemptId: end.attemptId }),
    disposition: end.disposition,
    evidence: end.evidence,
    chargeMicros: end.chargeMicros,
    final,
    event: { disposition: end.disposition, channel: job.delivery.channel },
    now: deps.clock.now(),
  }
  return persist(deps, { deliveryId, what: 'the end of an attempt' }, giveUp, () => deps.store.closeAttempt(closing))
}
