import { Type } from 'typebox'
import { notFound } from '../errors.ts'
import { AllowedIPs, KeyName, makeKey, restrictionsOf, When } from './api-keys.ts'
import { describe } from './operation.ts'
import { answers, named } from './schemas.ts'
import type { Api, Wire } from './types.ts'

const Permission = Type.Enum(['ALL', 'TFA'])

const Body = named(
  'ApiKeyRequest2018',
  Type.Object(
    {
      name: KeyName,
      permissions: Type.Optional(Type.Array(Permission, { minItems: 1, maxItems: 10 })),
      allowedIPs: Type.Optional(AllowedIPs),
      validFrom: Type.Optional(When),
      validTo: Type.Optional(When),
      enabled: Type.Optional(Type.Boolean()),
    },
    { examples: [{ name: 'backend', permissions: ['TFA'] }] },
  ),
)
const Answer = answers(
  'ApiKeyResponse2018',
  Type.Object({
    name: Type.String(),
    key: Type.String(),
    publicApiKey: Type.String({ description: 'What goes behind `App`.' }),
    accountKey: Type.String(),
    allowedIPs: Type.Optional(Type.Array(Type.String())),
    validFrom: Type.Optional(Type.String()),
    validTo: Type.Optional(Type.String()),
    permissions: Type.Array(Type.String()),
    enabled: Type.Boolean(),
  }),
)

/** POST /settings/1/accounts/{accountKey}/api-keys; `_` is the own account. 201, as today's description of it says. */
export function createApiKey2018(api: Api, wire: Wire): void {
  api.post(
    '/settings/1/accounts/:accountKey/api-keys',
    {
      ...wire.guard.login(),
      schema: {
        ...describe({
          id: 'create-account-api-key',
          tag: 'Access',
          summary: 'Create an API key (2018)',
          access: 'login',
        }),
        params: Type.Object({ accountKey: Type.String({ examples: ['_'] }) }),
        body: Body,
        response: { 201: Answer },
      },
    },
    async ({ caller, params, body }, reply) => {
      if (params.accountKey !== '_' && params.accountKey !== caller.accountId) throw notFound('The account')
      const { permissions = ['ALL'], ...wish } = body
      const { key, secret } = await makeKey(wire, caller.accountId, { ...wish, permissions, scopes: [] })
      reply.code(201)
      return {
        name: key.name,
        key: key.keyId,
        publicApiKey: secret,
        accountKey: key.accountId,
        ...restrictionsOf(key),
        permissions: key.permissions,
        enabled: key.enabled,
      }
    },
  )
}
