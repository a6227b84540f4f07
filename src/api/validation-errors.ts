import type { FastifySchemaValidationError } from 'fastify/types/schema.js'

/** What Fastify throws where a schema is not met. */
export type FastifyValidationFailure = Error & {
  validation: (FastifySchemaValidationError & { parentSchema?: Record<string, unknown> })[]
  validationContext?: string
}

export const isValidationFailure = (error: unknown): error is FastifyValidationFailure =>
  error instanceof Error && 'validation' in error && Array.isArray(error.validation)

const WHOLE: Record<string, string> = { body: 'body', querystring: 'query', headers: 'headers', params: 'path' }

/** Wire paths of the wrong fields → sentences about them; never a value, which may be somebody's code. */
export function fieldsOf(failure: FastifyValidationFailure): Record<string, string[]> {
  const fields: Record<string, string[]> = {}
  for (const problem of failure.validation) {
    const field = fieldOf(problem, WHOLE[failure.validationContext ?? ''] ?? 'request')
    fields[field] = [...new Set([...(fields[field] ?? []), wordsFor(problem)])]
  }
  return fields
}

/** All of them in one sentence. */
export const sentenceOf = (fields: Record<string, string[]>): string =>
  `${Object.entries(fields)
    .map(([field, sentences]) => `${field} ${sentences.join(' and ')}`)
    .join('; ')}.`

type Problem = FastifyValidationFailure['validation'][number]

/** `/configuration/pinAttempts` → `configuration.pinAttempts`, `/messages/0/to` → `messages[0].to`. */
function fieldOf(problem: Problem, whole: string): string {
  const missing = problem.keyword === 'required' ? `/${String(problem.params.missingProperty)}` : ''
  const path = `${problem.instancePath}${missing}`
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const written = path.reduce((text, part) => (/^\d+$/.test(part) ? `${text}[${part}]` : `${text}.${part}`))
  return written || whole
}

function wordsFor({ keyword, params, parentSchema, message }: Problem): string {
  const wants = parentSchema?.['x-wants']
  if (keyword !== 'required' && typeof wants === 'string') return wants
  switch (keyword) {
    case 'required':
      return 'is required'
    case 'type':
      return `must be ${[params.type].flat().map(withArticle).join(' or ')}`
    case 'enum':
      return `must be one of ${(params.allowedValues as string[]).join(', ')}`
    case 'minLength':
    case 'minItems':
      return 'must not be empty'
    case 'maxLength':
      return `must not be longer than ${params.limit} characters`
    case 'maxItems':
      return `must not have more than ${params.limit} entries`
    case 'minimum':
      return `must be at least ${params.limit}`
    case 'maximum':
      return `must be at most ${params.limit}`
    default:
      return message ?? 'is not as it should be'
  }
}

const withArticle = (type: unknown): string => `${/^[aeio]/.test(String(type)) ? 'an' : 'a'} ${type}`
