import type {} from '@fastify/swagger' // its `hide` in route schemas
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { invalid, notFound, PincallError } from '../errors.ts'
import { HANDSETS } from './handsets.ts'
import { PAGE, PAGE_POLICY } from './page.ts'
import type { ArrivedCall, Channel, PinQuery, Sandbox } from './types.ts'

export type SandboxRoutesOptions = {
  /** Lets clients in that are not on this machine: codes are shown here to whoever asks. Default false. */
  allowAll?: boolean
}

type Query = Partial<Record<'to' | 'wait' | 'after' | 'channel' | 'seen', string | string[]>>
type Asked = FastifyRequest<{ Querystring: Query }>

const LONGEST_WAIT_S = 60
/** A listener in mid-sentence is waited for: whoever knows that the code was read finds it understood. */
const SENTENCE_MS = 4000
/** Hidden from the API's description: the sandbox is no part of the contract. */
const hidden = { schema: { hide: true } }
const STATUS: Partial<Record<PincallError['code'], number>> = { invalid: 400, forbidden: 403, not_found: 404 }

/** What arrived in the sandbox, under `/sandbox/`, for its page, for shells and for tests. */
export function sandboxRoutes(sandbox: Sandbox, options: SandboxRoutesOptions = {}): FastifyPluginAsync {
  return async (app) => {
    const closing = new AbortController()
    app.addHook('preClose', async () => closing.abort())
    app.addHook('onRequest', async (request, reply) => {
      reply.header('cache-control', 'no-store')
      if (!options.allowAll && !isFromHere(request)) {
        throw new PincallError('forbidden', 'The sandbox shows codes, so it answers only to this machine itself.')
      }
    })
    app.setErrorHandler(async (error, _request, reply) => {
      const status = error instanceof PincallError ? STATUS[error.code] : undefined
      if (status === undefined || !(error instanceof Error)) throw error
      return reply.code(status).send({ error: error.message })
    })

    app.get('/sandbox/', hidden, async (request, reply) => {
      if (!request.url.startsWith('/sandbox/')) return reply.redirect('/sandbox/') // the page's addresses are relative
      return reply.type('text/html; charset=utf-8').header('content-security-policy', PAGE_POLICY).send(PAGE)
    })
    app.get('/sandbox/handsets', hidden, async () =>
      HANDSETS.map(({ ending, name, does, callStatus }) => ({ ending: ending ?? 'any other', name, does, callStatus })),
    )
    app.get('/sandbox/pins', hidden, async (request: Asked, reply) => {
      const to = one(request, 'to')
      if (to === undefined) throw invalid('to', 'must be given: the number whose codes are asked for')
      const query: PinQuery = { ...channelOf(request), ...afterOf(request) }
      const timeoutMs = waitMs(request)
      await sandbox.settled(to, SENTENCE_MS)
      if (sandbox.pins(to, query).length === 0) await arrival(sandbox, to, query, timeoutMs, until(reply, closing))
      return sandbox.pins(to, query).map((pin) => ({ ...pin, at: iso(pin.at) }))
    })
    app.get('/sandbox/calls', hidden, async (request: Asked) => sandbox.calls(one(request, 'to')).map(callOnTheWire))
    app.get('/sandbox/messages', hidden, async (request: Asked) =>
      sandbox.messages(one(request, 'to')).map((message) => ({ ...message, at: iso(message.at) })),
    )
    app.get('/sandbox/changes', hidden, async (request: Asked, reply) => {
      const seen = Number(one(request, 'seen') ?? Number.NaN)
      if (!Number.isInteger(seen)) return { changes: sandbox.changes }
      return { changes: await sandbox.whenChanged(seen, waitMs(request), until(reply, closing)) }
    })
    app.get('/sandbox/calls/:callId/audio.wav', hidden, async (request: AudioAsked, reply) => {
      const wav = sandbox.audio(request.params.callId)
      if (!wav) throw notFound('The sound of this call')
      return sendPart(request, reply.type('audio/wav'), wav)
    })
  }
}

type AudioAsked = FastifyRequest<{ Params: { callId: string } }>

/** Players ask for parts when somebody seeks (RFC 9110 §14): one range from a start, to an end or to the end. */
function sendPart(request: FastifyRequest, reply: FastifyReply, bytes: Uint8Array): FastifyReply {
  reply.header('accept-ranges', 'bytes')
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  if (!range) return reply.send(Buffer.from(bytes))
  const first = Number(range[1])
  const last = Math.min(bytes.length - 1, range[2] ? Number(range[2]) : bytes.length - 1)
  if (first > last) return reply.code(416).header('content-range', `bytes */${bytes.length}`).send()
  reply.code(206).header('content-range', `bytes ${first}-${last}/${bytes.length}`)
  return reply.send(Buffer.from(bytes.subarray(first, last + 1)))
}

async function arrival(sandbox: Sandbox, to: string, query: PinQuery, timeoutMs: number, signal: AbortSignal) {
  if (timeoutMs === 0) return
  await sandbox.waitForPin(to, { ...query, timeoutMs, signal }).catch((error) => {
    if (!(error instanceof PincallError && error.code === 'not_found')) throw error // none came: an empty list says so
  })
}

/** Aborted when the client is gone, or the server about to be. */
function until(reply: FastifyReply, closing: AbortController): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  return AbortSignal.any([gone.signal, closing.signal])
}

function one(request: Asked, name: keyof Query): string | undefined {
  const value = request.query[name]
  // A plus sign that nobody escaped has become a space on its way: numbers do not mind.
  return Array.isArray(value) ? value[0] : value
}

function waitMs(request: Asked): number {
  const given = one(request, 'wait')
  if (given === undefined) return 0
  const seconds = Number(given)
  if (given === '' || !(seconds >= 0 && seconds <= LONGEST_WAIT_S)) {
    throw invalid('wait', `must be a number of seconds from 0 to ${LONGEST_WAIT_S}`)
  }
  return seconds * 1000
}

function channelOf(request: Asked): { channel?: Channel } {
  const given = one(request, 'channel')
  if (given === undefined) return {}
  if (given !== 'voice' && given !== 'sms') throw invalid('channel', 'must be voice or sms')
  return { channel: given }
}

function afterOf(request: Asked): { after?: number } {
  const given = one(request, 'after')
  if (given === undefined) return {}
  const after = /^\d+$/.test(given) ? Number(given) : Date.parse(given)
  if (Number.isNaN(after)) throw invalid('after', 'must be a time: ISO 8601, or milliseconds since 1970')
  return { after }
}

const iso = (at: number): string => new Date(at).toISOString()

function callOnTheWire(call: ArrivedCall) {
  const { startedAt, ringingAt, answeredAt, endedAt, heardAt, audioMs, ...rest } = call
  return {
    ...rest,
    startedAt: iso(startedAt),
    ...(ringingAt !== undefined && { ringingAt: iso(ringingAt) }),
    ...(answeredAt !== undefined && { answeredAt: iso(answeredAt) }),
    ...(endedAt !== undefined && { endedAt: iso(endedAt) }),
    ...(heardAt !== undefined && { heardAt: iso(heardAt) }),
    ...(audioMs !== undefined && { audioMs, audio: `/sandbox/calls/${call.callId}/audio.wav` }),
  }
}

/** Nobody else, and nobody else by way of a proxy that runs here. */
function isFromHere({ socket, headers }: FastifyRequest): boolean {
  return isLoopback(socket.remoteAddress ?? '') && headers['x-forwarded-for'] === undefined && !headers.forwarded
}

/** 127.0.0.0/8 and ::1, also where a dual-stack socket writes the former as the latter. */
const isLoopback = (ip: string): boolean => ip === '::1' || /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/.test(ip)
