import { describe } from './operation.ts'
import { CallHeaders, PinParams } from './schemas.ts'
import { PINS } from './scopes.ts'
import { ResendRequest, readResend } from './sending.ts'
import { type Api, VERSIONS, type Wire } from './types.ts'
import { answerVoice, VoiceAnswerV1, VoiceAnswerV2 } from './voice-answer.ts'

const DESCRIPTION = {
  1: 'Calls the number and says the same PIN. The answer waits for the call’s outcome, 25 s unless set otherwise; a call that takes longer is `PROCESSING`, and its `Location` tells the rest.',
  2: 'Calls the number and says the same PIN. The answer comes at once; `Location` and the event stream tell the outcome, or `Prefer: wait=60` holds the answer back for it.',
}

/** POST /2fa/{version}/pin/{pinId}/resend/voice: the operation this project exists for. */
export function resendPinOverVoice(api: Api, { guard, verification, callWaitMs }: Wire): void {
  for (const version of VERSIONS) {
    api.post(
      `/2fa/${version}/pin/:pinId/resend/voice`,
      {
        ...guard.scopes(PINS),
        schema: {
          ...describe({
            id: 'resend-2fa-pin-code-over-voice',
            tag: 'Resend over voice',
            summary: 'Resend a PIN over voice',
            description: DESCRIPTION[version],
            version,
          }),
          params: PinParams,
          headers: CallHeaders,
          body: ResendRequest,
          response: { 200: version === 1 ? VoiceAnswerV1 : VoiceAnswerV2 },
        },
      },
      async (request, reply) => {
        const resend = readResend(request, request.params.pinId, request.body)
        const sending = await verification.resendPin({ ...resend, channel: 'voice' })
        return answerVoice({ verification, callWaitMs }, version, sending, request, reply)
      },
    )
  }
}
