import { Type } from 'typebox'
import { CallAnswer, callAnswer } from './calls.ts'
import { describe } from './operation.ts'
import { PinParams } from './schemas.ts'
import { PINS } from './scopes.ts'
import type { Api, Wire } from './types.ts'

/** GET /pincall/1/pins/{pinId}/calls: oldest first. */
export function getCallsOfPin(api: Api, { guard, store, verification }: Wire): void {
  api.get(
    '/pincall/1/pins/:pinId/calls',
    {
      ...guard.scopes(PINS),
      schema: {
        ...describe({ id: 'get-calls-of-pin', tag: 'Pincall', summary: 'The calls of a PIN, oldest first' }),
        params: PinParams,
        response: { 200: Type.Array(CallAnswer) },
      },
    },
    async ({ caller, params }) => {
      const deliveries = await verification.deliveries(caller.accountId, params.pinId)
      const calls = deliveries.filter((delivery) => delivery.channel === 'voice')
      return Promise.all(calls.map(async (call) => callAnswer(call, await store.attemptsOf(call.deliveryId))))
    },
  )
}
