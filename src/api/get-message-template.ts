import { describe } from './operation.ts'
import { MessageParams } from './schemas.ts'
import { MANAGE } from './scopes.ts'
import { TemplateV1, TemplateV2, templateV1, templateV2 } from './templates.ts'
import type { Api, Wire } from './types.ts'

/** GET /2fa/{version}/applications/{applicationId}/messages/{messageId} */
export function getMessageTemplate(api: Api, { guard, verification }: Wire): void {
  const about = { id: 'get-2fa-message-template', tag: 'Message templates', summary: 'Get a message template' } as const

  api.get(
    '/2fa/1/applications/:applicationId/messages/:messageId',
    {
      ...guard.scopes(MANAGE),
      schema: {
        ...describe({ ...about, version: 1 }),
        params: MessageParams,
        response: { 200: TemplateV1 },
      },
    },
    async ({ caller, params }) =>
      templateV1(await verification.template(caller.accountId, params.applicationId, params.messageId)),
  )

  api.get(
    '/2fa/2/applications/:applicationId/messages/:messageId',
    {
      ...guard.scopes(MANAGE),
      schema: { ...describe(about), params: MessageParams, response: { 200: TemplateV2 } },
    },
    async ({ caller, params }) =>
      templateV2(await verification.template(caller.accountId, params.applicationId, params.messageId)),
  )
}
