import { type Static, Type } from 'typebox'
import { PincallError } from '../errors.ts'
import type { Sending } from '../verification/types.ts'
import { answers } from './schemas.ts'
import { dashed } from './secrets.ts'

/** The answer of a send or resend over SMS; its key order differs by version (contract §1.6). */

const NcStatus = Type.Optional(
  Type.String({ description: 'NC_NOT_CONFIGURED: no number lookup is set up. Left out with ncNeeded=false.' }),
)
const SmsStatus = Type.String({ description: 'MESSAGE_SENT or MESSAGE_NOT_SENT.' })

export const SmsAnswerV1 = answers(
  'SendPinResponseV1',
  Type.Object({ to: Type.String(), ncStatus: NcStatus, smsStatus: SmsStatus, pinId: Type.String() }),
)
export const SmsAnswerV2 = answers(
  'StartAuthenticationResponse',
  Type.Object({
    pinId: Type.String(),
    to: Type.String(),
    ncStatus: NcStatus,
    smsStatus: SmsStatus,
    externalMessageId: Type.Optional(Type.String()),
  }),
)

export type SmsWishes = { ncNeeded: boolean; trackDelivery: boolean }

/** What became of it. The order of the keys is the serialiser's. */
export function smsAnswer(sending: Sending, { ncNeeded, trackDelivery }: SmsWishes): Static<typeof SmsAnswerV2> {
  return {
    pinId: sending.pinId,
    to: sending.to,
    ...(ncNeeded && { ncStatus: 'NC_NOT_CONFIGURED' }),
    smsStatus: sending.kind === 'owed' ? 'MESSAGE_SENT' : 'MESSAGE_NOT_SENT',
    ...(trackDelivery && sending.kind === 'owed' && { externalMessageId: dashed(sending.deliveryId.toLowerCase()) }),
  }
}

/** A resend over SMS has no status for these: the request itself was wrong. */
export function assertResendable(sending: Sending): void {
  if (sending.kind !== 'refused') return
  if (sending.why === 'closed') {
    throw new PincallError('pin_closed', `The PIN can not be sent again, because ${sending.detail}: send a new one.`)
  }
  if (sending.why === 'application_disabled') {
    throw new PincallError('application_disabled', 'The application is disabled: enable it to send PINs.')
  }
}
