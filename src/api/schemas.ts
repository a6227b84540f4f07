import { type Static, type TSchema, Type } from 'typebox'

/** Schemas that stand under their own name in the API's description, and are referred to by it. */
export const NAMED_SCHEMAS: TSchema[] = []

/** Gives a schema its name and returns the reference that operations use. */
export function named<Schema extends TSchema>(name: string, schema: Schema) {
  NAMED_SCHEMAS.push({ ...schema, $id: name } as TSchema)
  return Type.Unsafe<Static<Schema>>({ $ref: `${name}#` })
}

/**
 * The same for an answer. The serialiser writes required keys before optional ones, but the contract's order is another: so
 * it is told of none, and the API's description of those that are always there.
 */
export function answers<Schema extends TSchema>(name: string, schema: Schema) {
  const { required, ...unordered } = schema as TSchema & { required?: string[] }
  return named(name, { ...unordered, 'x-always': required ?? [] } as TSchema as Schema)
}

/** A string of which people should know what it wants; `wants` is told where it is not met. */
export const Text = (options: { wants?: string; [keyword: string]: unknown } = {}) => {
  const { wants, ...keywords } = options
  return Type.String({ ...keywords, ...(wants !== undefined && { 'x-wants': wants }) })
}

/** An opaque id. */
export const Id = (example: string) => Type.String({ minLength: 1, maxLength: 100, examples: [example] })

/** Numbers of JSON that must be whole and at least one. */
export const Count = (options: Record<string, unknown> = {}) =>
  Type.Integer({ minimum: 1, maximum: 2_147_483_647, ...options })

/** A text in the contract; some clients send a JSON number. */
export const PhoneNumber = Type.Unsafe<string | number>({
  type: ['string', 'integer'],
  maxLength: 40,
  description: 'International form: country code first; a plus sign, spaces and quotes are taken off.',
  examples: ['41793026727'],
})

/** Milliseconds since 1970. */
export const Moment = Type.Integer({ description: 'Milliseconds since 1970.', examples: [1_764_000_000_000] })

export const Anything = Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })

export const ApiException = named(
  'ApiException',
  Type.Object(
    {
      requestError: Type.Object({
        serviceException: Type.Object({
          messageId: Type.String(),
          text: Type.String(),
          validationErrors: Type.Optional(
            Type.Unsafe<Record<string, string[]>>({
              type: 'object',
              additionalProperties: { type: 'array', items: { type: 'string' } },
            }),
          ),
        }),
      }),
    },
    {
      description: 'The request was refused: `text` says why and what to do.',
      examples: [
        {
          requestError: {
            serviceException: {
              messageId: 'BAD_REQUEST',
              text: 'messageText must contain {{pin}}.',
              validationErrors: { messageText: ['must contain {{pin}}'] },
            },
          },
        },
      ],
    },
  ),
)

/** What any operation may answer beside its success (contract §1.2). */
export const ERRORS = {
  400: ApiException,
  401: ApiException,
  403: ApiException,
  404: ApiException,
  429: ApiException,
  500: ApiException,
  '4xx': ApiException,
  '5xx': ApiException,
}

export const ApplicationParams = Type.Object({ applicationId: Id('0933F3BC087D2A617AC6DCB2EF5B8A61') })
export const MessageParams = Type.Object({
  applicationId: Id('0933F3BC087D2A617AC6DCB2EF5B8A61'),
  messageId: Id('B628A31410306DDB2BFB0D9CF1F3A3FF'),
})
export const PinParams = Type.Object({ pinId: Id('9C817C6F8AF3D48F9FE553282AFA2B67') })

const IdempotencyKey = Text({
  pattern: '^[\\x20-\\x7e]{1,255}$',
  wants: 'must be 1 to 255 printable ASCII characters',
  description: 'The same key makes it safe to send the same request again: it is carried out once.',
})

export const SendHeaders = Type.Object({ 'idempotency-key': Type.Optional(IdempotencyKey) })

export const CallHeaders = Type.Object({
  'idempotency-key': Type.Optional(IdempotencyKey),
  prefer: Type.Optional(
    Type.String({
      description:
        'RFC 7240: `wait=<seconds>` holds the answer back until the call’s outcome is known, at most so long (120 s at most); ' +
        '`respond-async` answers at once.',
    }),
  ),
})
