import type { FastifyReply } from 'fastify'
import { type Static, Type } from 'typebox'
import { isUnavailable } from '../errors.ts'
import type { Sending } from '../verification/types.ts'
import { spell, statusOfDelivery, statusOfRefusal } from './call-status.ts'
import { readPrefer } from './prefer.ts'
import { answers } from './schemas.ts'
import type { Caller, Version, Wire } from './types.ts'

/** The answer of a send or resend over voice; its key order differs by version. */
export const VoiceAnswerV1 = answers(
  'ResendPinOverVoiceResponseV1',
  Type.Object(
    { to: Type.String(), pinId: Type.String(), callStatus: Type.String() },
    { examples: [{ to: '41793026727', pinId: '9C817C6F8AF3D48F9FE553282AFA2B67', callStatus: 'PROCESSED' }] },
  ),
)
export const VoiceAnswerV2 = answers(
  'StartVoiceAuthenticationResponse',
  Type.Object(
    { pinId: Type.String(), to: Type.String(), callStatus: Type.String() },
    { examples: [{ pinId: '9C817C6F8AF3D48F9FE553282AFA2B67', to: '41793026727', callStatus: 'PENDING_ACCEPTED' }] },
  ),
)

type Asked = { caller: Caller; headers: { prefer?: string | undefined } }

/**
 * Says how the call stands. Version 1 reports the outcome, so it waits for it; version 2 answers at once; `Prefer` changes
 * either. Whoever hangs up meanwhile stops only the waiting: the call is owed by now.
 */
export async function answerVoice(
  { verification, callWaitMs }: Pick<Wire, 'verification' | 'callWaitMs'>,
  version: Version,
  sending: Sending,
  { caller, headers }: Asked,
  reply: FastifyReply,
): Promise<Static<typeof VoiceAnswerV2>> {
  const { waitMs = version === 1 ? callWaitMs : 0, applied } = readPrefer(headers.prefer)
  if (applied) reply.header('preference-applied', applied)
  const answer = { pinId: sending.pinId, to: sending.to }
  if (sending.kind === 'refused') return { ...answer, callStatus: spell(statusOfRefusal(sending.why), version) }
  reply.header('location', `/pincall/1/calls/${sending.deliveryId}`)
  // A call that was just owed has no outcome yet; one that was joined may.
  const known = waitMs > 0 || sending.joined
  const call = known ? await outcomeOf(verification, caller, sending, waitMs) : {}
  return { ...answer, callStatus: spell(statusOfDelivery(call), version) }
}

/**
 * A call that this request made is on its way even where the database went away before its outcome could be read: to say 503
 * would ask for another call. What was joined may have ended long ago, and nothing true can be said of it.
 */
async function outcomeOf(
  verification: Wire['verification'],
  caller: Caller,
  sending: Extract<Sending, { kind: 'owed' }>,
  waitMs: number,
): Promise<Parameters<typeof statusOfDelivery>[0]> {
  try {
    return await verification.outcomeOf(caller.accountId, sending.deliveryId, waitMs)
  } catch (error) {
    if (isUnavailable(error) && !sending.joined) return {}
    throw error
  }
}
