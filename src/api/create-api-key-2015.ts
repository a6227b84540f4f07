import { Type } from 'typebox'
import { makeKey } from './api-keys.ts'
import { describe } from './operation.ts'
import type { Api, Wire } from './types.ts'

/** POST /2fa/1/api-key: no body; the answer is the secret alone, as a JSON string literal. */
export function createApiKey2015(api: Api, wire: Wire): void {
  api.post(
    '/2fa/1/api-key',
    {
      ...wire.guard.login(),
      schema: {
        ...describe({
          id: 'create-2fa-api-key',
          tag: 'Access',
          summary: 'Create an API key (2015)',
          access: 'login',
          version: 1,
        }),
        response: {
          200: Type.String({
            examples: ['003026bbc133714df1834b8638bb496e-8f4b3d9a-e931-478d-a994-28a725159ab9'],
          }),
        },
      },
    },
    async (request, reply) => {
      const wish = { name: '2FA', permissions: ['ALL'], scopes: [] }
      const { secret } = await makeKey(wire, request.caller.accountId, wish)
      reply.type('application/json; charset=utf-8')
      return JSON.stringify(secret) // Fastify sends a string as it is
    },
  )
}
