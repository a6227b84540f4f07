import type { FastifyReply, FastifyRequest } from 'fastify'
import { Histogram, type Registry } from 'prom-client'
import type { Log } from '../log.ts'
import type { Random } from '../random.ts'
import type { Api } from './types.ts'

/** An incoming X-Request-Id is kept where it is one. */
const SANE_ID = /^[\w.:+/=-]{1,128}$/

/** Who writes an id of its own finds it in the log and on the answer. */
export function requestIdOf(header: string | string[] | undefined, random: Random): string {
  return typeof header === 'string' && SANE_ID.test(header) ? header : random.hex(8)
}

/** Asked for by machines, all the time. */
const QUIET = new Set(['/healthz', '/metrics'])

/**
 * One line and one observation per request. The route's pattern stands for the address: numbers are in queries and secrets
 * can be, bodies hold codes, so none of them is ever told.
 */
export function watchRequests(api: Api, { log, registry }: { log: Log; registry: Registry }): void {
  const observe = requestHistogram(registry)
  // Every field of the line is chosen here, and none is secret: looking for secrets in it costs five times the line itself.
  const lines = log.child({}, { redact: [] })
  api.addHook('onResponse', (request: FastifyRequest, reply: FastifyReply, done) => {
    const ms = reply.elapsedTime
    const route = request.routeOptions.url ?? 'none'
    const { statusCode: status } = reply
    observe(request.method, route, status, ms)
    const line = {
      requestId: request.id,
      method: request.method,
      route,
      status,
      ms: Math.round(ms * 10) / 10,
      ...(request.caller && { accountId: request.caller.accountId }),
      ...pinOf(request.params),
    }
    if (QUIET.has(route)) lines.debug(line, 'request')
    else lines.info(line, 'request')
    done()
  })
}

/** Which PIN it was about: its id is no secret. */
function pinOf(params: unknown): { pinId?: string } {
  const pinId = (params as { pinId?: unknown } | undefined)?.pinId
  return typeof pinId === 'string' ? { pinId: pinId.slice(0, 40) } : {}
}

function requestHistogram(registry: Registry): (method: string, route: string, status: number, ms: number) => void {
  const histogram = new Histogram({
    name: 'pincall_http_request_seconds',
    help: 'Time from a request to its answer. Voice on version 1 waits for the call.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 15, 30, 120],
    registers: [registry],
  })
  const children = new Map<string, ReturnType<typeof histogram.labels>>()
  return (method, route, status, ms) => {
    const name = `${method} ${status} ${route}`
    let child = children.get(name)
    if (!child) {
      child = histogram.labels(method, route, String(status))
      children.set(name, child)
    }
    child.observe(ms / 1000)
  }
}
