import { Type } from 'typebox'
import { describe } from './operation.ts'
import { readFlag } from './query-flags.ts'
import { SendHeaders } from './schemas.ts'
import { PINS } from './scopes.ts'
import { readSend, SendRequest } from './sending.ts'
import { SmsAnswerV1, SmsAnswerV2, smsAnswer } from './sms-answer.ts'
import { type Api, VERSIONS, type Wire } from './types.ts'

const Query = Type.Object({
  ncNeeded: Type.Optional(
    Type.String({ description: '`true` (default) looks the number up first, `false` does not.' }),
  ),
})

/** POST /2fa/{version}/pin */
export function sendPinOverSms(api: Api, { guard, verification }: Wire): void {
  for (const version of VERSIONS) {
    api.post(
      `/2fa/${version}/pin`,
      {
        ...guard.scopes(PINS),
        schema: {
          ...describe({ id: 'send-2fa-pin-code-over-sms', tag: 'PINs', summary: 'Send a PIN over SMS', version }),
          querystring: Query,
          headers: SendHeaders,
          body: SendRequest,
          response: { 200: version === 1 ? SmsAnswerV1 : SmsAnswerV2 },
        },
      },
      async (request) => {
        const ncNeeded = readFlag('ncNeeded', request.query.ncNeeded) ?? true
        const sending = await verification.sendPin({ ...readSend(request, request.body), channel: 'sms' })
        return smsAnswer(sending, { ncNeeded, trackDelivery: request.body.trackDelivery ?? false })
      },
    )
  }
}
