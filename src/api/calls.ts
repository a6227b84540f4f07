import { type Static, Type } from 'typebox'
import { formatMicros } from '../money.ts'
import type { Attempt, Delivery } from '../store/types.ts'
import { spell, statusOfDelivery } from './call-status.ts'
import { Anything, answers, Moment } from './schemas.ts'

/** A call as Pincall's own resources tell it: the status in both spellings, and everything that explains it. */

const Charge = Type.Optional(Type.String({ description: 'In the installation’s currency.', examples: ['0.012'] }))
const DispositionText = Type.Optional(
  Type.String({ description: 'How it ended, finer than the status.', examples: ['heard', 'declined'] }),
)

export const CallAnswer = answers(
  'Call',
  Type.Object({
    deliveryId: Type.String(),
    pinId: Type.String(),
    to: Type.String(),
    state: Type.String({ description: 'owed, claimed (in progress) or closed.' }),
    callStatus: Type.String({ description: 'In the words of version 1.' }),
    callStatusV2: Type.String({ description: 'In the words of version 2.' }),
    disposition: DispositionText,
    evidence: Type.Optional(Anything),
    charge: Charge,
    createdAt: Moment,
    closedAt: Type.Optional(Moment),
    attempts: Type.Array(
      Type.Object({
        attemptId: Type.String(),
        trunk: Type.String(),
        startedAt: Moment,
        endedAt: Type.Optional(Moment),
        disposition: DispositionText,
        evidence: Type.Optional(Anything),
        charge: Charge,
      }),
    ),
  }),
)

export function callAnswer(call: Delivery, attempts: Attempt[]): Static<typeof CallAnswer> {
  const status = statusOfDelivery(call)
  return {
    deliveryId: call.deliveryId,
    pinId: call.pinId,
    to: call.to,
    state: call.state,
    callStatus: spell(status, 1),
    callStatusV2: spell(status, 2),
    ...explained(call),
    createdAt: call.createdAt,
    ...(call.closedAt !== undefined && { closedAt: call.closedAt }),
    attempts: attempts.map((attempt) => ({
      attemptId: attempt.attemptId,
      trunk: attempt.trunk,
      startedAt: attempt.startedAt,
      ...(attempt.endedAt !== undefined && { endedAt: attempt.endedAt }),
      ...explained(attempt),
    })),
  }
}

const explained = (ended: Pick<Delivery | Attempt, 'disposition' | 'evidence' | 'chargedMicros'>) => ({
  ...(ended.disposition && { disposition: ended.disposition }),
  ...(ended.evidence && { evidence: ended.evidence }),
  ...(ended.chargedMicros !== undefined && { charge: formatMicros(ended.chargedMicros) }),
})
