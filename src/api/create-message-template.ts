import type { Static } from 'typebox'
import { describe } from './operation.ts'
import { Problems } from './problems.ts'
import { ApplicationParams } from './schemas.ts'
import { MANAGE } from './scopes.ts'
import {
  placeholderFor,
  readTemplate,
  STANDARD,
  TemplateRequestV1,
  TemplateRequestV2,
  TemplateV1,
  TemplateV2,
  templateV1,
  templateV2,
} from './templates.ts'
import type { Api, Wire } from './types.ts'

/** Version 2 does not say; its e-mail templates have four (contract §1.5). */
const DEFAULT_LENGTH = 4

/** POST /2fa/{version}/applications/{applicationId}/messages: 200 in both. */
export function createMessageTemplate(api: Api, { guard, verification }: Wire): void {
  const about = {
    id: 'create-2fa-message-template',
    tag: 'Message templates',
    summary: 'Create a message template',
  } as const
  const create = (accountId: string, applicationId: string, body: Static<typeof TemplateRequestV2>) => {
    const problems = new Problems()
    const { pinType = 'NUMERIC', text = '', ...template } = readTemplate(body, problems)
    const placeholder = placeholderFor(text, template.placeholder ?? STANDARD, problems)
    problems.raise()
    return verification.createTemplate(accountId, applicationId, {
      pinLength: DEFAULT_LENGTH,
      ...template,
      pinType,
      text,
      placeholder,
    })
  }

  api.post(
    '/2fa/1/applications/:applicationId/messages',
    {
      ...guard.scopes(MANAGE),
      schema: {
        ...describe({ ...about, version: 1 }),
        params: ApplicationParams,
        body: TemplateRequestV1,
        response: { 200: TemplateV1 },
      },
    },
    async ({ caller, params, body }) => templateV1(await create(caller.accountId, params.applicationId, body)),
  )

  api.post(
    '/2fa/2/applications/:applicationId/messages',
    {
      ...guard.scopes(MANAGE),
      schema: {
        ...describe(about),
        params: ApplicationParams,
        body: TemplateRequestV2,
        response: { 200: TemplateV2 },
      },
    },
    async ({ caller, params, body }) => templateV2(await create(caller.accountId, params.applicationId, body)),
  )
}
