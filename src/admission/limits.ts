import type { Application, Counted, Limit } from '../store/types.ts'

/** The limits of the installation itself, beside those of each application. */
export type ResendLimits = {
  /** Pause between two resends of one PIN. */
  coolDownMs: number
  perPin: number
  perApplication: Limit
}

/** What a send of a new PIN counts against (contract §5): its application, and the number within the application. */
export function countedBySend(application: Application, to: string): Counted[] {
  const { sendPinPerApplicationLimit, sendPinPerPhoneNumberLimit } = application.settings
  const id = application.applicationId
  return [
    { ...sendPinPerApplicationLimit, name: 'sendPinPerApplicationLimit', key: `send:${id}` },
    { ...sendPinPerPhoneNumberLimit, name: 'sendPinPerPhoneNumberLimit', key: `send-number:${id}`, number: to },
  ]
}

/** A resend makes no PIN, so the contract's send limits do not count it: it has limits of its own. */
export function countedByResend(limits: ResendLimits, applicationId: string): Counted[] {
  return [{ ...limits.perApplication, name: 'resendsPerApplication', key: `resend:${applicationId}` }]
}

/** A check counts against the number within the application, right or wrong (contract §5, verifyPinLimit). */
export function countedByCheck(application: Application, to: string): Counted[] {
  const { verifyPinLimit } = application.settings
  return [{ ...verifyPinLimit, name: 'verifyPinLimit', key: `check:${application.applicationId}`, number: to }]
}
