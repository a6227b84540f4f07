import { Type } from 'typebox'
import { deliveryStatusOf } from './delivery-status.ts'
import { describe } from './operation.ts'
import { PinParams } from './schemas.ts'
import { PINS } from './scopes.ts'
import { type Api, VERSIONS, type Wire } from './types.ts'

const Statuses = Type.Array(
  Type.Object({ status: Type.String(), description: Type.String(), finalStatus: Type.Boolean() }),
)

/** GET /2fa/{version}/pin/{pinId}/status: version 1's; version 2 has none, but people ask for it all the same. */
export function getPinStatus(api: Api, { guard, verification }: Wire): void {
  for (const version of VERSIONS) {
    api.get(
      `/2fa/${version}/pin/:pinId/status`,
      {
        ...guard.scopes(PINS),
        schema: {
          ...describe({
            id: 'get-2fa-pin-delivery-status',
            tag: 'PINs',
            summary: 'Get the delivery status of a PIN',
            description: 'One entry for each message or call, oldest first.',
            version,
          }),
          params: PinParams,
          response: { 200: Statuses },
        },
      },
      async ({ caller, params }) =>
        (await verification.deliveries(caller.accountId, params.pinId)).map(deliveryStatusOf),
    )
  }
}
