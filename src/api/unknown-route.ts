import type { FastifyReply, FastifyRequest } from 'fastify'
import { PincallError } from '../errors.ts'
import { CORS_HEADERS } from './cross-origin.ts'
import { versionOf, wireError } from './error-body.ts'
import type { Api } from './types.ts'

/** Answers what no route takes: browsers' preflights, a known address with another method, and everything else. */
export function answerUnknownRoutes(api: Api): void {
  const methods: { matches: RegExp; methods: Set<string> }[] = []
  const byPattern = new Map<string, Set<string>>()
  api.addHook('onRoute', ({ url, method }) => {
    let known = byPattern.get(url)
    if (!known) {
      known = new Set()
      byPattern.set(url, known)
      methods.push({ matches: patternOf(url), methods: known })
    }
    for (const each of [method].flat()) known.add(each)
  })

  api.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    reply.headers(CORS_HEADERS)
    if (request.method === 'OPTIONS') return reply.code(204).send()
    const version = versionOf(request.url)
    const path = request.url.split('?', 1)[0].replace(/(.)\/+$/, '$1')
    const allowed = methods.filter(({ matches }) => matches.test(path)).flatMap((each) => [...each.methods])
    if (allowed.length > 0) {
      const text = `${request.method} is not a method of this address: use ${allowed.join(' or ')}.`
      const { body } = wireError(new PincallError('invalid', text), version)
      return reply
        .code(405)
        .header('allow', [...new Set(allowed)].join(', '))
        .send(body)
    }
    const text = 'No such address: /docs lists what there is.'
    return reply.code(404).send(wireError(new PincallError('not_found', text), version).body)
  })
}

/** `/2fa/1/pin/:pinId` → a test for addresses of that shape. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+'
    if (part === '*') return '.*'
    return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('/')}$`)
}
