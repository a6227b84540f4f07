import { Type } from 'typebox'
import { ApplicationV1, ApplicationV2, applicationV1, applicationV2 } from './applications.ts'
import { describe } from './operation.ts'
import { MANAGE } from './scopes.ts'
import type { Api, Wire } from './types.ts'

/** GET /2fa/{version}/applications: a bare array. */
export function getApplications(api: Api, { guard, verification }: Wire): void {
  const about = { id: 'get-2fa-applications', tag: 'Applications', summary: 'Get all applications' } as const

  api.get(
    '/2fa/1/applications',
    {
      ...guard.scopes(MANAGE),
      schema: { ...describe({ ...about, version: 1 }), response: { 200: Type.Array(ApplicationV1) } },
    },
    async ({ caller }) => (await verification.applications(caller.accountId)).map(applicationV1),
  )

  api.get(
    '/2fa/2/applications',
    {
      ...guard.scopes(MANAGE),
      schema: { ...describe(about), response: { 200: Type.Array(ApplicationV2) } },
    },
    async ({ caller }) => (await verification.applications(caller.accountId)).map(applicationV2),
  )
}
