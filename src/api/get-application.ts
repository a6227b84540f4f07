import { ApplicationV1, ApplicationV2, applicationV1, applicationV2 } from './applications.ts'
import { describe } from './operation.ts'
import { ApplicationParams } from './schemas.ts'
import { MANAGE } from './scopes.ts'
import type { Api, Wire } from './types.ts'

/** GET /2fa/{version}/applications/{applicationId} */
export function getApplication(api: Api, { guard, verification }: Wire): void {
  const about = { id: 'get-2fa-application', tag: 'Applications', summary: 'Get an application' } as const

  api.get(
    '/2fa/1/applications/:applicationId',
    {
      ...guard.scopes(MANAGE),
      schema: {
        ...describe({ ...about, version: 1 }),
        params: ApplicationParams,
        response: { 200: ApplicationV1 },
      },
    },
    async ({ caller, params }) => applicationV1(await verification.application(caller.accountId, params.applicationId)),
  )

  api.get(
    '/2fa/2/applications/:applicationId',
    {
      ...guard.scopes(MANAGE),
      schema: { ...describe(about), params: ApplicationParams, response: { 200: ApplicationV2 } },
    },
    async ({ caller, params }) => applicationV2(await verification.application(caller.accountId, params.applicationId)),
  )
}
