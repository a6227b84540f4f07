import { Type } from 'typebox'
import { describe } from './operation.ts'
import { answers, named, PinParams, Text } from './schemas.ts'
import { PINS } from './scopes.ts'
import { type Api, VERSIONS, type Wire } from './types.ts'

const VerifyPinRequest = named(
  'VerifyPinRequest',
  Type.Object(
    {
      pin: Text({
        minLength: 1,
        maxLength: 100,
        wants: 'must be a text of 1 to 100 characters (a number would lose its leading zeros)',
      }),
    },
    { examples: [{ pin: '1598' }] },
  ),
)

const VerifyPinResponse = answers(
  'VerifyPinResponse',
  Type.Object({
    pinId: Type.String(),
    msisdn: Type.String(),
    verified: Type.Boolean(),
    attemptsRemaining: Type.Integer(),
    pinError: Type.Optional(Type.String({ description: 'WRONG_PIN, TTL_EXPIRED or NO_MORE_PIN_ATTEMPTS.' })),
  }),
)

/** POST /2fa/{version}/pin/{pinId}/verify: 200 for wrong ones too (contract §1.8). */
export function verifyPin(api: Api, { guard, verification }: Wire): void {
  for (const version of VERSIONS) {
    api.post(
      `/2fa/${version}/pin/:pinId/verify`,
      {
        ...guard.scopes(PINS),
        schema: {
          ...describe({ id: 'verify-2fa-phone-number', tag: 'PINs', summary: 'Verify a PIN', version }),
          params: PinParams,
          body: VerifyPinRequest,
          response: { 200: VerifyPinResponse },
        },
      },
      async ({ caller, params, body }) => {
        const { accountId } = caller
        const answer = await verification.checkPin({ accountId, pinId: params.pinId, guess: body.pin })
        return {
          pinId: answer.pinId,
          msisdn: answer.to,
          verified: answer.verified,
          attemptsRemaining: answer.verified ? 0 : answer.checksLeft,
          ...(answer.error && { pinError: answer.error }),
        }
      },
    )
  }
}
