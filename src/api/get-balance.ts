import { Type } from 'typebox'
import { formatMicros } from '../money.ts'
import { describe } from './operation.ts'
import { MANAGE } from './scopes.ts'
import type { Api, Wire } from './types.ts'

const Money = (description: string) => Type.String({ description, examples: ['12.5'] })
const Answer = Type.Object({
  balance: Money('What is in the account, reserves included.'),
  reserved: Money('Set aside for calls in progress.'),
  available: Money('What a new call can reserve.'),
})

/** GET /pincall/1/balance */
export function getBalance(api: Api, { guard, store }: Wire): void {
  api.get(
    '/pincall/1/balance',
    {
      ...guard.scopes(MANAGE),
      schema: {
        ...describe({ id: 'get-balance', tag: 'Pincall', summary: 'The balance of the account' }),
        response: { 200: Answer },
      },
    },
    async ({ caller }) => {
      const { balanceMicros, reservedMicros } = await store.balance(caller.accountId)
      return {
        balance: formatMicros(balanceMicros),
        reserved: formatMicros(reservedMicros),
        available: formatMicros(balanceMicros - reservedMicros),
      }
    },
  )
}
