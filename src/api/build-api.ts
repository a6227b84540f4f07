import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { requestIdOf, watchRequests } from './access-log.ts'
import { makeAuthenticate } from './authenticate.ts'
import { BODY_LIMIT_BYTES, readBodies } from './bodies.ts'
import { CORS_HEADERS } from './cross-origin.ts'
import { versionOf, wireError } from './error-body.ts'
import { makeGuard } from './guard.ts'
import { makeLogins } from './logins.ts'
import { describeApi } from './openapi.ts'
import { OPERATIONS } from './operations.ts'
import type { Api, ApiDeps, Wire } from './types.ts'
import { answerUnknownRoutes } from './unknown-route.ts'

/** From the first to the last byte of a request: who drips it takes a socket from others. */
const REQUEST_TIMEOUT_MS = 30_000
/** How long a closing server lets answers on their way leave. */
const CLOSE_MS = 1000

/**
 * The HTTP face, not listening yet: whoever listens may add pages of its own before. A request's life: id → caller and scope
 * → body → schema → the operation → schema → log.
 */
export async function buildApi(deps: ApiDeps): Promise<FastifyInstance> {
  const api: Api = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    genReqId: (raw) => requestIdOf(raw.headers['x-request-id'], deps.random),
    trustProxy: deps.trustedProxies ?? false,
    return503OnClosing: false, // whoever was let in before the end is answered in the contract's shape
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 200 },
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allErrors: true, // bodies are small
        verbose: true, // a schema's own words about what it wants
        strict: false, // `examples` and `x-wants` are for readers
      },
    },
    frameworkErrors(error, request, reply) {
      reply.headers({ ...CORS_HEADERS, 'x-request-id': request.id }) // no hook has run
      answerError(deps, error, request as FastifyRequest, reply as FastifyReply)
    },
    clientErrorHandler(error, socket) {
      if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy()
      const { status, body } = wireError(Object.assign(new Error('unreadable'), { statusCode: 400 }), 2)
      const text = JSON.stringify(body)
      const head = `HTTP/1.1 ${status} Bad Request\r\nContent-Type: application/json; charset=utf-8\r\n`
      socket.end(`${head}Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`)
    },
  }).withTypeProvider<TypeBoxTypeProvider>()

  const closing = new AbortController()
  api.addHook('preClose', (done) => {
    closing.abort()
    api.server.keepAliveTimeout = 1 // who is being answered now must not hold the end up by an idle connection
    // Nor may a connection that never asked anything, such as a browser opens ahead: to Node it is not idle.
    if (api.server.listening) {
      const patience = deps.clock.after(CLOSE_MS, () => api.server.closeAllConnections())
      api.server.once('close', () => patience.cancel())
    }
    done()
  })
  api.decorateRequest('caller')
  api.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
  api.setErrorHandler((error, request, reply) => answerError(deps, error, request, reply))
  answerUnknownRoutes(api)
  watchRequests(api, deps)
  await describeApi(api)

  const logins = makeLogins(deps)
  const wire: Wire = {
    ...deps,
    logins,
    guard: makeGuard(makeAuthenticate({ ...deps, logins })),
    closing: closing.signal,
  }
  await api.register(async (contract: Api) => {
    contract.addHook('onRequest', (_request, reply, done) => {
      reply.headers(CORS_HEADERS)
      done()
    })
    await readBodies(contract)
    for (const operation of OPERATIONS) operation(contract, wire)
  })
  return api
}

/** Every error becomes an answer here, and only here. What nobody declared is told to the log, not to the client. */
function answerError({ log }: ApiDeps, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, body, retryAfterS, unexpected } = wireError(error, versionOf(request.url))
  if (unexpected) log.error({ err: error, requestId: request.id, method: request.method }, 'a request failed')
  if (retryAfterS !== undefined) reply.header('retry-after', String(retryAfterS))
  reply.code(status).type('application/json; charset=utf-8').send(body)
}
