import type { Static } from 'typebox'
import { describe } from './operation.ts'
import { Problems } from './problems.ts'
import { MessageParams } from './schemas.ts'
import { MANAGE } from './scopes.ts'
import {
  placeholderFor,
  readTemplate,
  TemplateChange,
  TemplateV1,
  TemplateV2,
  templateV1,
  templateV2,
} from './templates.ts'
import type { Api, Wire } from './types.ts'

/** PUT /2fa/{version}/applications/{applicationId}/messages/{messageId}: what is not given stays. */
export function updateMessageTemplate(api: Api, { guard, verification }: Wire): void {
  const about = {
    id: 'update-2fa-message-template',
    tag: 'Message templates',
    summary: 'Update a message template',
    description: 'Only what is given changes.',
  } as const
  const update = async (
    accountId: string,
    params: Static<typeof MessageParams>,
    body: Static<typeof TemplateChange>,
  ) => {
    const { applicationId, messageId } = params
    const before = await verification.template(accountId, applicationId, messageId)
    const problems = new Problems()
    const change = readTemplate(body, problems)
    const placeholder = placeholderFor(change.text ?? before.text, change.placeholder ?? before.placeholder, problems)
    problems.raise()
    return verification.updateTemplate(accountId, applicationId, messageId, { ...change, placeholder })
  }

  api.put(
    '/2fa/1/applications/:applicationId/messages/:messageId',
    {
      ...guard.scopes(MANAGE),
      schema: {
        ...describe({ ...about, version: 1 }),
        params: MessageParams,
        body: TemplateChange,
        response: { 200: TemplateV1 },
      },
    },
    async ({ caller, params, body }) => templateV1(await update(caller.accountId, params, body)),
  )

  api.put(
    '/2fa/2/applications/:applicationId/messages/:messageId',
    {
      ...guard.scopes(MANAGE),
      schema: {
        ...describe(about),
        params: MessageParams,
        body: TemplateChange,
        response: { 200: TemplateV2 },
      },
    },
    async ({ caller, params, body }) => templateV2(await update(caller.accountId, params, body)),
  )
}
