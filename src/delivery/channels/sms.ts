import type { Job } from '../../store/types.ts'
import { beginAttempt } from '../begin-attempt.ts'
import { GIVE_BACK, LOST_LEASE, type NotOurs } from '../lease.ts'
import type { DeliveryDeps, Ending } from '../types.ts'

/** Hands the text with the code to the gateway, once. What became of it after that is the gateway's to report. */
export async function deliverBySms(deps: DeliveryDeps, job: Job): Promise<Ending | NotOurs> {
  const gateway = deps.sms
  if (!gateway)
    return { disposition: 'no_route', evidence: { detail: 'no SMS gateway is configured' }, chargeMicros: 0 }
  const attemptId = `${job.delivery.deliveryId}-1`
  const message = {
    to: job.pin.to,
    from: job.delivery.from ?? job.template.sender ?? 'Pincall',
    text: deps.textOf(job).replaceAll('{{pin}}', deps.codeOf(job.pin)),
  }
  const begun = await beginAttempt(deps, job, { attemptId, trunk: gateway.name })
  if (begun.kind !== 'begun') return begun.kind === 'away' ? GIVE_BACK : LOST_LEASE
  const ended = { attemptId, trunk: gateway.name }
  try {
    await gateway.send(message)
    return { ...ended, disposition: 'sms_sent', evidence: { gateway: gateway.name }, chargeMicros: deps.smsPriceMicros }
  } catch (error) {
    // The gateway's own words could quote the message, and with it the code: only the error's name is kept.
    const name = error instanceof Error ? error.name : 'Error'
    return { ...ended, disposition: 'sms_failed', evidence: { gateway: gateway.name, error: name }, chargeMicros: 0 }
  }
}
