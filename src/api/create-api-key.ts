import { Type } from 'typebox'
import { invalid } from '../errors.ts'
import { AllowedIPs, KeyName, makeKey, restrictionsOf, When } from './api-keys.ts'
import { describe } from './operation.ts'
import { answers, named } from './schemas.ts'
import { SCOPES } from './scopes.ts'
import type { Api, Wire } from './types.ts'

const Body = named(
  'ApiKeyRequest',
  Type.Object(
    {
      accountId: Type.Optional(Type.String({ maxLength: 100 })),
      name: KeyName,
      allowedIPs: Type.Optional(AllowedIPs),
      validFrom: Type.Optional(When),
      validTo: Type.Optional(When),
      permissions: Type.Optional(Type.Array(Type.String({ maxLength: 50 }), { maxItems: 20 })),
      scopeGuids: Type.Optional(
        Type.Array(Type.String({ maxLength: 100 }), { maxItems: 50, description: `Of 2FA: ${SCOPES.join(', ')}.` }),
      ),
    },
    { examples: [{ name: 'backend', permissions: ['PUBLIC_API'], scopeGuids: ['2fa:pin:send'] }] },
  ),
)
const Answer = answers(
  'ApiKeyResponse',
  Type.Object({
    id: Type.String(),
    apiKeySecret: Type.String({ description: 'What goes behind `App`. It is shown this once.' }),
    accountId: Type.String(),
    name: Type.String(),
    allowedIPs: Type.Optional(Type.Array(Type.String())),
    validFrom: Type.Optional(Type.String()),
    validTo: Type.Optional(Type.String()),
    enabled: Type.Boolean(),
    permissions: Type.Array(Type.String()),
    scopeGuids: Type.Array(Type.String()),
  }),
)

/** POST /settings/2/api-keys: today's call, with scopes. */
export function createApiKey(api: Api, wire: Wire): void {
  api.post(
    '/settings/2/api-keys',
    {
      ...wire.guard.login(),
      schema: {
        ...describe({ id: 'create-api-key', tag: 'Access', summary: 'Create an API key', access: 'login' }),
        body: Body,
        response: { 200: Answer },
      },
    },
    async ({ caller, body }) => {
      const { accountId, permissions = ['PUBLIC_API'], scopeGuids: scopes = [], ...wish } = body
      if (accountId !== undefined && accountId !== caller.accountId) {
        throw invalid('accountId', 'must be the account you are logged in to')
      }
      assertKnown(scopes)
      const { key, secret } = await makeKey(wire, caller.accountId, { ...wish, permissions, scopes })
      return {
        id: key.keyId,
        apiKeySecret: secret,
        accountId: key.accountId,
        name: key.name,
        ...restrictionsOf(key),
        enabled: key.enabled,
        permissions: key.permissions,
        scopeGuids: key.scopes,
      }
    },
  )
}

/** Scopes of other products are kept and mean nothing here; a misspelt one of ours would make a key that opens nothing. */
function assertKnown(scopes: string[]): void {
  const known: readonly string[] = SCOPES
  if (scopes.some((scope) => scope.startsWith('2fa') && !known.includes(scope))) {
    throw invalid('scopeGuids', `must be of ${SCOPES.join(', ')} where they begin with 2fa`)
  }
}
