import { describe } from './operation.ts'
import { CallHeaders } from './schemas.ts'
import { PINS } from './scopes.ts'
import { readSend, SendRequest } from './sending.ts'
import { type Api, VERSIONS, type Wire } from './types.ts'
import { answerVoice, VoiceAnswerV1, VoiceAnswerV2 } from './voice-answer.ts'

/** POST /2fa/{version}/pin/voice */
export function sendPinOverVoice(api: Api, { guard, verification, callWaitMs }: Wire): void {
  for (const version of VERSIONS) {
    api.post(
      `/2fa/${version}/pin/voice`,
      {
        ...guard.scopes(PINS),
        schema: {
          ...describe({ id: 'send-2fa-pin-code-over-voice', tag: 'PINs', summary: 'Send a PIN over voice', version }),
          headers: CallHeaders,
          body: SendRequest,
          response: { 200: version === 1 ? VoiceAnswerV1 : VoiceAnswerV2 },
        },
      },
      async (request, reply) => {
        const sending = await verification.sendPin({ ...readSend(request, request.body), channel: 'voice' })
        return answerVoice({ verification, callWaitMs }, version, sending, request, reply)
      },
    )
  }
}
