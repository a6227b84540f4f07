import type { Static } from 'typebox'
import {
  ApplicationChangeV1,
  ApplicationRequest,
  ApplicationV1Written,
  ApplicationV2,
  applicationV1Written,
  applicationV2,
} from './applications.ts'
import { readConfiguration } from './configuration.ts'
import { describe } from './operation.ts'
import { Problems } from './problems.ts'
import { ApplicationParams } from './schemas.ts'
import { MANAGE } from './scopes.ts'
import type { Api, Wire } from './types.ts'

/** PUT /2fa/{version}/applications/{applicationId}: what is not given stays. */
export function updateApplication(api: Api, { guard, verification }: Wire): void {
  const about = {
    id: 'update-2fa-application',
    tag: 'Applications',
    summary: 'Update an application',
    description: 'Only what is given changes, inside `configuration` too.',
  } as const
  const update = async (
    accountId: string,
    applicationId: string,
    { name, enabled, configuration }: Static<typeof ApplicationChangeV1>,
  ) => {
    const before = await verification.application(accountId, applicationId)
    const problems = new Problems()
    const settings = readConfiguration(configuration ?? {}, before.settings, problems)
    problems.raise()
    return verification.updateApplication(accountId, applicationId, {
      ...(name !== undefined && { name }),
      ...(enabled !== undefined && { enabled }),
      settings,
    })
  }

  api.put(
    '/2fa/1/applications/:applicationId',
    {
      ...guard.scopes(MANAGE),
      schema: {
        ...describe({ ...about, version: 1 }),
        params: ApplicationParams,
        body: ApplicationChangeV1,
        response: { 200: ApplicationV1Written },
      },
    },
    async (request) =>
      applicationV1Written(await update(request.caller.accountId, request.params.applicationId, request.body)),
  )

  api.put(
    '/2fa/2/applications/:applicationId',
    {
      ...guard.scopes(MANAGE),
      schema: {
        ...describe(about),
        params: ApplicationParams,
        body: ApplicationRequest,
        response: { 200: ApplicationV2 },
      },
    },
    async (request) =>
      applicationV2(await update(request.caller.accountId, request.params.applicationId, request.body)),
  )
}
