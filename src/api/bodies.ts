import formbody from '@fastify/formbody'
import { PincallError } from '../errors.ts'
import type { Api } from './types.ts'

export const BODY_LIMIT_BYTES = 64 * 1024

/** Marks a body that could not be read. Nothing of it is kept: it may hold somebody's code. */
const UNREADABLE = Symbol('unreadable body')

/**
 * Bodies as clients send them (contract §1.7, §6): JSON whatever the Content-Type says and where it says nothing, an empty
 * body, `{}`; and the form that the OAuth token is asked for with. `curl -d` calls JSON a form: it is read as what it is.
 */
export async function readBodies(api: Api): Promise<void> {
  api.removeAllContentTypeParsers()
  for (const type of ['application/json', '*']) {
    api.addContentTypeParser(type, { parseAs: 'string' }, (_request, text, done) => done(null, readJson(String(text))))
  }
  await api.register(formbody, { bodyLimit: BODY_LIMIT_BYTES, parser: readForm })

  api.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request.raw
    const type = headers['content-type']
    if (type !== undefined && !WELL_FORMED.test(type)) headers['content-type'] = 'application/json'
    const encoding = headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') {
      return done(new PincallError('unsupported_media_type', 'The body must not be compressed: send it as it is.'))
    }
    done()
  })
  api.addHook('preValidation', (request, _reply, done) => {
    if (request.body === UNREADABLE) return done(new PincallError('invalid', 'The body is not JSON: check its syntax.'))
    if (request.body === undefined && request.method !== 'GET') request.body = {}
    done()
  })
}

/** RFC 9110 §8.3: type, slash, subtype. Fastify would refuse anything else. */
const WELL_FORMED = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;.*)?$/

function readJson(text: string): unknown {
  const trimmed = text.replace(/^\uFEFF/, '').trim()
  if (trimmed === '') return {}
  try {
    return withoutNulls(JSON.parse(trimmed))
  } catch {
    return UNREADABLE // the parser's own message quotes the body
  }
}

function readForm(text: string): Record<string, unknown> {
  if (/^\s*[{[]/.test(text)) return readJson(text) as Record<string, unknown>
  return Object.fromEntries(new URLSearchParams(text))
}

/** Serialisers write `null` for what they were not given: it means the same as leaving the field out. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(withoutNulls)
  const fields = value as Record<string, unknown>
  for (const name of Object.keys(fields)) {
    const field = fields[name]
    if (field === null || name === '__proto__') delete fields[name]
    else if (typeof field === 'object') withoutNulls(field)
  }
  return fields
}
