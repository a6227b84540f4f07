import { Type } from 'typebox'
import { describe } from './operation.ts'
import { ApplicationParams } from './schemas.ts'
import { MANAGE } from './scopes.ts'
import { TemplateV1, TemplateV2, templateV1, templateV2 } from './templates.ts'
import type { Api, Wire } from './types.ts'

/** GET /2fa/{version}/applications/{applicationId}/messages: a bare array. */
export function getMessageTemplates(api: Api, { guard, verification }: Wire): void {
  const about = {
    id: 'get-2fa-message-templates',
    tag: 'Message templates',
    summary: 'Get all message templates of an application',
  } as const

  api.get(
    '/2fa/1/applications/:applicationId/messages',
    {
      ...guard.scopes(MANAGE),
      schema: {
        ...describe({ ...about, version: 1 }),
        params: ApplicationParams,
        response: { 200: Type.Array(TemplateV1) },
      },
    },
    async ({ caller, params }) =>
      (await verification.templates(caller.accountId, params.applicationId)).map(templateV1),
  )

  api.get(
    '/2fa/2/applications/:applicationId/messages',
    {
      ...guard.scopes(MANAGE),
      schema: {
        ...describe(about),
        params: ApplicationParams,
        response: { 200: Type.Array(TemplateV2) },
      },
    },
    async ({ caller, params }) =>
      (await verification.templates(caller.accountId, params.applicationId)).map(templateV2),
  )
}
