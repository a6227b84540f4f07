import { describe } from './operation.ts'
import { PinParams, SendHeaders } from './schemas.ts'
import { PINS } from './scopes.ts'
import { ResendRequest, readResend } from './sending.ts'
import { assertResendable, SmsAnswerV1, SmsAnswerV2, smsAnswer } from './sms-answer.ts'
import { type Api, VERSIONS, type Wire } from './types.ts'

/** POST /2fa/{version}/pin/{pinId}/resend: the same PIN, the same number. */
export function resendPinOverSms(api: Api, { guard, verification }: Wire): void {
  for (const version of VERSIONS) {
    api.post(
      `/2fa/${version}/pin/:pinId/resend`,
      {
        ...guard.scopes(PINS),
        schema: {
          ...describe({ id: 'resend-2fa-pin-code-over-sms', tag: 'PINs', summary: 'Resend a PIN over SMS', version }),
          params: PinParams,
          headers: SendHeaders,
          body: ResendRequest,
          response: { 200: version === 1 ? SmsAnswerV1 : SmsAnswerV2 },
        },
      },
      async (request) => {
        const { params, body } = request
        const sending = await verification.resendPin({ ...readResend(request, params.pinId, body), channel: 'sms' })
        assertResendable(sending)
        return smsAnswer(sending, { ncNeeded: true, trackDelivery: body.trackDelivery ?? false })
      },
    )
  }
}
