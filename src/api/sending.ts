import { type Static, Type } from 'typebox'
import { parseMsisdn } from '../msisdn.ts'
import type { SendPin } from '../verification/types.ts'
import { Problems } from './problems.ts'
import { Id, named, PhoneNumber } from './schemas.ts'

/** What sends and resends over any channel read alike (contract §1.6, §1.7). */

const further = {
  placeholders: Type.Optional(
    Type.Unsafe<Record<string, string>>({
      type: 'object',
      additionalProperties: { type: 'string', maxLength: 1000 },
      description: 'Values for the template’s further placeholders, keys without braces. `pin` is not one of them.',
      examples: [{ firstName: 'John' }],
    }),
  ),
  trackDelivery: Type.Optional(Type.Boolean({ description: 'Answer an `externalMessageId` as well. Default false.' })),
}

export const SendRequest = named(
  'StartAuthenticationRequest',
  Type.Object(
    {
      applicationId: Id('0933F3BC087D2A617AC6DCB2EF5B8A61'),
      messageId: Id('B628A31410306DDB2BFB0D9CF1F3A3FF'),
      to: PhoneNumber,
      from: Type.Optional(Type.String({ maxLength: 50, description: 'Sender of this one; else the template’s.' })),
      ...further,
    },
    {
      examples: [
        {
          applicationId: '0933F3BC087D2A617AC6DCB2EF5B8A61',
          messageId: 'B628A31410306DDB2BFB0D9CF1F3A3FF',
          to: '41793026727',
          placeholders: { firstName: 'John' },
        },
      ],
    },
  ),
)

/** A resend needs no body. */
export const ResendRequest = named('ResendPinRequest', Type.Object(further, { examples: [{}] }))

type Asked = { headers: { 'idempotency-key'?: string | undefined }; caller: { accountId: string } }

/** The part of a send that is the same over every channel. */
export function readSend({ caller, headers }: Asked, body: Static<typeof SendRequest>): Omit<SendPin, 'channel'> {
  const problems = new Problems()
  const to = parseMsisdn(String(body.to))
  if (!to) problems.add('to', 'must be a phone number in international form, such as 41793026727')
  checkPlaceholders(body.placeholders, problems)
  problems.raise()
  const key = headers['idempotency-key']
  return {
    accountId: caller.accountId,
    applicationId: body.applicationId,
    templateId: body.messageId,
    to: to!,
    ...(body.from && { from: body.from }),
    ...(body.placeholders && { placeholders: body.placeholders }),
    ...(key && { idempotencyKey: key }),
  }
}

/** The part of a resend that is the same over every channel. */
export function readResend({ caller, headers }: Asked, pinId: string, body: Static<typeof ResendRequest>) {
  const problems = new Problems()
  checkPlaceholders(body.placeholders, problems)
  problems.raise()
  const key = headers['idempotency-key']
  return {
    accountId: caller.accountId,
    pinId,
    ...(body.placeholders && { placeholders: body.placeholders }),
    ...(key && { idempotencyKey: key }),
  }
}

function checkPlaceholders(placeholders: Record<string, string> | undefined, problems: Problems): void {
  for (const key in placeholders) {
    const name = key.replace(/[{}\s]/g, '')
    if (name.toLowerCase() === 'pin') problems.add('placeholders', 'must not contain pin: the code is filled in here')
    else if (name !== key) problems.add('placeholders', 'must have keys without braces and spaces')
  }
}
