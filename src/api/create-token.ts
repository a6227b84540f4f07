import { type Static, Type } from 'typebox'
import { unauthenticated } from './logins.ts'
import { describe } from './operation.ts'
import { Problems } from './problems.ts'
import { answers, named } from './schemas.ts'
import { hashSecret, newToken } from './secrets.ts'
import type { Api, Wire } from './types.ts'

const LIFE_S = 3600

const fields = Type.Object(
  {
    client_id: Type.Optional(Type.String({ maxLength: 255, description: 'User of the account.' })),
    client_secret: Type.Optional(Type.String({ maxLength: 1000, description: 'Its password.' })),
    grant_type: Type.Optional(Type.String({ maxLength: 100, examples: ['client_credentials'] })),
  },
  { examples: [{ client_id: 'pincall', client_secret: '…', grant_type: 'client_credentials' }] },
)
const Form = named('OAuthTokenRequest', fields)
const Answer = answers(
  'OAuthTokenResponse',
  Type.Object({ access_token: Type.String(), expires_in: Type.Integer(), token_type: Type.String() }),
)

/** POST /auth/1/oauth2/token: a form (RFC 6749 §4.4); the community's Node SDK puts it into the query. */
export function createToken(api: Api, { clock, random, store, logins }: Wire): void {
  api.post(
    '/auth/1/oauth2/token',
    {
      schema: {
        ...describe({ id: 'create-oauth2-token', tag: 'Access', summary: 'Create an OAuth 2 token', access: 'open' }),
        consumes: ['application/x-www-form-urlencoded', 'application/json'],
        querystring: fields,
        body: Form,
        response: { 200: Answer },
      },
    },
    async ({ query, body, headers }, reply) => {
      const asked = { ...query, ...body }
      const { user, password } = credentialsOf(asked, headers.authorization)
      const accountId = await logins.accountOf(user, password)
      const token = newToken(random)
      const expiresAt = clock.now() + LIFE_S * 1000
      await store.createSession({ tokenHash: hashSecret(token), accountId, kind: 'oauth', expiresAt })
      reply.header('cache-control', 'no-store') // RFC 6749 §5.1
      return { access_token: token, expires_in: LIFE_S, token_type: 'Bearer' }
    },
  )
}

/** From form or query, or from a Basic header as §2.3.1 prefers. */
function credentialsOf(asked: Static<typeof fields>, authorization = ''): { user: string; password: string } {
  const problems = new Problems()
  if (asked.grant_type !== 'client_credentials') problems.add('grant_type', 'must be client_credentials')
  const basic = /^\s*Basic\s+(\S+)/i.exec(authorization)?.[1]
  if (basic && asked.client_secret === undefined) {
    problems.raise()
    const [, user, password] = /^([^:]+):(.+)$/s.exec(Buffer.from(basic, 'base64').toString('utf8')) ?? []
    if (!user || !password) throw unauthenticated()
    return { user, password }
  }
  if (!asked.client_id) problems.add('client_id', 'is required')
  if (!asked.client_secret) problems.add('client_secret', 'is required')
  problems.raise()
  return { user: asked.client_id!, password: asked.client_secret! }
}
