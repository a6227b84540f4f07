import { readFileSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { isScalar, LineCounter, parseDocument } from 'yaml'
import { PincallError } from './errors.ts'

/** The file that PINCALL_CONFIG names: YAML or JSON. `docs/operating.md` shows every field with an example. */
const name = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  description: 'letters, digits, dot, dash and underscore',
})
const amount = Type.String({ pattern: '^\\d{1,9}(\\.\\d{1,6})?$', description: 'a decimal in quotes, such as "0.02"' })
const number = Type.String({
  pattern: '^\\+?[0-9]{3,15}$',
  description: 'a phone number in quotes, such as "+41446681800"',
})
const days = Type.Integer({ minimum: 0, maximum: 36500, description: 'whole days, 0 for ever' })
const strict = { additionalProperties: false }

const TrunkSchema = Type.Object(
  {
    name,
    host: Type.String({ minLength: 1, description: 'an IP address of the SIP peer' }),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535 })),
    user: Type.Optional(Type.String({ minLength: 1 })),
    password: Type.Optional(Type.String({ minLength: 1 })),
    numberFormat: Type.Optional(
      Type.Union([Type.Literal('plus'), Type.Literal('digits')], { description: 'plus or digits' }),
    ),
    codecs: Type.Optional(
      Type.Array(Type.Union([Type.Literal('PCMU'), Type.Literal('PCMA')]), {
        minItems: 1,
        description: 'PCMA, PCMU or both',
      }),
    ),
    ringTimeoutS: Type.Optional(Type.Number({ minimum: 5, maximum: 120 })),
    noResponseMs: Type.Optional(Type.Integer({ minimum: 500, maximum: 32000 })),
    callsPerSecond: Type.Optional(Type.Integer({ minimum: 1, maximum: 10000 })),
    concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 100000 })),
  },
  strict,
)

const RouteSchema = Type.Object(
  {
    prefix: Type.String({
      pattern: '^[0-9]{0,15}$',
      description: 'leading digits without plus, in quotes; "" for all numbers',
    }),
    trunks: Type.Array(name, { minItems: 1 }),
    pricePerMinute: Type.Optional(amount),
    incrementS: Type.Optional(Type.Integer({ minimum: 1, maximum: 600 })),
    caller: number,
  },
  strict,
)

export const FileSchema = Type.Object(
  {
    trunks: Type.Optional(Type.Array(TrunkSchema)),
    routes: Type.Optional(Type.Array(RouteSchema)),
    account: Type.Optional(
      Type.Object(
        {
          balance: Type.Optional(amount),
          currency: Type.Optional(Type.String({ pattern: '^[A-Z]{3}$', description: 'three capitals, such as EUR' })),
        },
        strict,
      ),
    ),
    limits: Type.Optional(
      Type.Object(
        {
          resendCoolDownS: Type.Optional(Type.Number({ minimum: 0, maximum: 86400 })),
          resendsPerPin: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
          resendsPerApplication: Type.Optional(
            Type.String({ pattern: '^\\d+/\\d*(ms|s|m|h|d)$', description: 'so many in so long, such as "1000/1h"' }),
          ),
        },
        strict,
      ),
    ),
    calls: Type.Optional(
      Type.Object(
        {
          proof: Type.Optional(
            Type.Union([Type.Literal('detect'), Type.Literal('keypress')], { description: 'detect or keypress' }),
          ),
          longestS: Type.Optional(Type.Number({ minimum: 20, maximum: 60 })),
          concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 5000 })),
          drainS: Type.Optional(Type.Number({ minimum: 0, maximum: 300 })),
          leaseS: Type.Optional(Type.Number({ minimum: 2, maximum: 300 })),
        },
        strict,
      ),
    ),
    sip: Type.Optional(
      Type.Object(
        {
          host: Type.Optional(Type.String({ minLength: 1 })),
          port: Type.Optional(Type.Integer({ minimum: 0, maximum: 65535 })),
          advertisedHost: Type.Optional(Type.String({ minLength: 1 })),
        },
        strict,
      ),
    ),
    media: Type.Optional(
      Type.Object(
        {
          portFrom: Type.Optional(Type.Integer({ minimum: 1024, maximum: 65534 })),
          portTo: Type.Optional(Type.Integer({ minimum: 1025, maximum: 65535 })),
          workers: Type.Optional(Type.Integer({ minimum: 1, maximum: 64 })),
        },
        strict,
      ),
    ),
    database: Type.Optional(
      Type.Object({ poolSize: Type.Optional(Type.Integer({ minimum: 2, maximum: 500 })) }, strict),
    ),
    retention: Type.Optional(
      Type.Object(
        {
          days: Type.Optional(days),
          accounts: Type.Optional(Type.Record(Type.String({ pattern: '^[0-9A-F]{32}$' }), days, strict)),
        },
        strict,
      ),
    ),
    sms: Type.Optional(Type.Object({ price: Type.Optional(amount) }, strict)),
    sandbox: Type.Optional(
      Type.Object(
        {
          besideTrunks: Type.Optional(Type.Boolean()),
          ringTimeoutS: Type.Optional(Type.Number({ minimum: 1, maximum: 120 })),
          pricePerMinute: Type.Optional(amount),
        },
        strict,
      ),
    ),
  },
  strict,
)

export type ConfigFile = Static<typeof FileSchema>

/** Reads the file and refuses it whole at the first wrong line, in one sentence that names line and path. */
export function readConfigFile(path: string): ConfigFile {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw wrong(`PINCALL_CONFIG names ${path}, which can not be read (${(error as NodeJS.ErrnoException).code}).`)
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  if (document.errors.length > 0) throw wrong(`${path}: ${document.errors[0].message.split('\n')[0]}`)
  const content: unknown = document.toJS() ?? {}
  const [problem] = [...Value.Errors(FileSchema, content)].sort((a, b) => b.instancePath.length - a.instancePath.length)
  if (problem) {
    const keys = problem.instancePath.split('/').slice(1)
    const node = document.getIn(
      keys.map((key) => (/^\d+$/.test(key) ? Number(key) : key)),
      true,
    )
    const offset =
      isScalar(node) || (node && typeof node === 'object' && 'range' in node) ? (node.range as number[])[0] : 0
    const what =
      problem.keyword === 'boolean'
        ? 'is not a setting: remove it or correct its name'
        : sentenceOf(problem.schemaPath, problem.message)
    throw wrong(`${path} line ${lines.linePos(offset).line}: ${pathOf(keys)} ${what}.`)
  }
  return content as ConfigFile
}

export const wrong = (sentence: string): PincallError => new PincallError('configuration', sentence)

const pathOf = (keys: string[]): string =>
  keys.length ? keys.map((key, i) => (/^\d+$/.test(key) ? `[${key}]` : i ? `.${key}` : key)).join('') : 'the file'

/** What the schema says of the field in people's words, else the validator's message. */
function sentenceOf(schemaPath: string, message: string): string {
  let schema: unknown = FileSchema
  for (const key of schemaPath.split('/').slice(1)) {
    if (schema && typeof schema === 'object' && key in schema) schema = (schema as Record<string, unknown>)[key]
  }
  const description = schema && typeof schema === 'object' && 'description' in schema ? schema.description : undefined
  return typeof description === 'string' ? `wants ${description}` : message
}
