import { Type } from 'typebox'
import { sessionTokenOf } from './authenticate.ts'
import { unauthenticated } from './logins.ts'
import { describe } from './operation.ts'
import { hashSecret } from './secrets.ts'
import type { Api, Wire } from './types.ts'

/** DELETE /auth/1/session: ends the session of the `IBSSO` header; 200 without a body. */
export function deleteSession(api: Api, { store, clock }: Wire): void {
  api.delete(
    '/auth/1/session',
    {
      schema: {
        ...describe({ id: 'delete-session', tag: 'Access', summary: 'End a session' }),
        security: [{ IBSSOTokenHeader: [] }],
        response: { 200: Type.Unsafe<undefined>({ type: 'null', description: 'The session has ended.' }) },
      },
    },
    async (request, reply) => {
      const token = sessionTokenOf(request.headers.authorization)
      const session = token && (await store.useSession(hashSecret(token), clock.now()))
      if (!token || !session || session.kind !== 'session') throw unauthenticated()
      await store.deleteSession(session.tokenHash)
      return reply.code(200).send(undefined)
    },
  )
}
