import { Type } from 'typebox'
import { notFound } from '../errors.ts'
import { CallAnswer, callAnswer } from './calls.ts'
import { describe } from './operation.ts'
import { Id } from './schemas.ts'
import { PINS } from './scopes.ts'
import type { Api, Wire } from './types.ts'

/** GET /pincall/1/calls/{deliveryId}: where a voice answer's `Location` points. */
export function getCall(api: Api, { guard, store }: Wire): void {
  api.get(
    '/pincall/1/calls/:deliveryId',
    {
      ...guard.scopes(PINS),
      schema: {
        ...describe({ id: 'get-call', tag: 'Pincall', summary: 'How a call stands or ended, with its evidence' }),
        params: Type.Object({ deliveryId: Id('5F1C0E7DB21A4B7CA1DE3A2B0C9D8E7F') }),
        response: { 200: CallAnswer },
      },
    },
    async ({ caller, params }) => {
      const call = await store.findDelivery(caller.accountId, params.deliveryId)
      if (call?.channel !== 'voice') throw notFound('The call')
      return callAnswer(call, await store.attemptsOf(call.deliveryId))
    },
  )
}
