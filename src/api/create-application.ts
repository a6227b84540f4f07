import type { Static } from 'typebox'
import { DEFAULT_SETTINGS } from '../verification/index.ts'
import {
  ApplicationRequest,
  ApplicationV1Written,
  ApplicationV2,
  applicationV1Written,
  applicationV2,
} from './applications.ts'
import { readConfiguration } from './configuration.ts'
import { describe } from './operation.ts'
import { Problems } from './problems.ts'
import { MANAGE } from './scopes.ts'
import type { Api, Wire } from './types.ts'

/** POST /2fa/{version}/applications: 200 in version 1, 201 in version 2. */
export function createApplication(api: Api, { guard, verification }: Wire): void {
  const about = { id: 'create-2fa-application', tag: 'Applications', summary: 'Create an application' } as const
  const create = (accountId: string, { name, enabled, configuration }: Static<typeof ApplicationRequest>) => {
    const problems = new Problems()
    const settings = readConfiguration(configuration ?? {}, DEFAULT_SETTINGS, problems)
    problems.raise()
    return verification.createApplication(accountId, { name, ...(enabled !== undefined && { enabled }), settings })
  }

  api.post(
    '/2fa/1/applications',
    {
      ...guard.scopes(MANAGE),
      schema: {
        ...describe({ ...about, version: 1 }),
        body: ApplicationRequest,
        response: { 200: ApplicationV1Written },
      },
    },
    async (request) => applicationV1Written(await create(request.caller.accountId, request.body)),
  )

  api.post(
    '/2fa/2/applications',
    {
      ...guard.scopes(MANAGE),
      schema: { ...describe(about), body: ApplicationRequest, response: { 201: ApplicationV2 } },
    },
    async (request, reply) => {
      reply.code(201)
      return applicationV2(await create(request.caller.accountId, request.body))
    },
  )
}
