import { Type } from 'typebox'
import { describe } from './operation.ts'
import { named } from './schemas.ts'
import { hashSecret, newToken } from './secrets.ts'
import type { Api, Wire } from './types.ts'

/** A session ends after an hour without a request. */
const SLIDES_MS = 60 * 60_000

const Body = named(
  'SessionRequest',
  Type.Object(
    {
      username: Type.String({ minLength: 1, maxLength: 255 }),
      password: Type.String({ minLength: 1, maxLength: 1000 }),
      unsafe: Type.Optional(Type.Boolean()),
    },
    { examples: [{ username: 'pincall', password: '…', unsafe: false }] },
  ),
)

/** POST /auth/1/session: a token for `Authorization: IBSSO <token>`. */
export function createSession(api: Api, { clock, random, store, logins }: Wire): void {
  api.post(
    '/auth/1/session',
    {
      schema: {
        ...describe({ id: 'create-session', tag: 'Access', summary: 'Create a session', access: 'open' }),
        body: Body,
        response: { 200: Type.Object({ token: Type.String() }) },
      },
    },
    async ({ body }) => {
      const accountId = await logins.accountOf(body.username, body.password)
      const token = newToken(random)
      const expiresAt = clock.now() + SLIDES_MS
      await store.createSession({
        tokenHash: hashSecret(token),
        accountId,
        kind: 'session',
        expiresAt,
        slidesMs: SLIDES_MS,
      })
      return { token }
    },
  )
}
