import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { invalid } from '../errors.ts'
import { eventStream } from './event-stream.ts'
import { describe } from './operation.ts'
import { MANAGE } from './scopes.ts'
import type { Api, Wire } from './types.ts'

const DESCRIPTION =
  'Server-sent events. `delivery.outcome` (how a call ends is known, while it goes on), `delivery.closed`, `delivery.corrected` ' +
  '(a call that had been given up as `abandoned` came to its true end after all: this status stands) and `pin.verified` are ' +
  'durable and carry an id, 1, 2, 3 … within the account: give the last one seen as `Last-Event-ID` (browsers do) or `?after=`, ' +
  'and nothing is missed. `progress` (dialling, ringing, answered, human, machine, unsure, reading, ended) has no id and is told ' +
  'to those who listen now, at the node that makes the call. Without a cursor the stream begins now.'

/** GET /pincall/1/events */
export function getEvents(api: Api, { guard, events, clock, closing }: Wire): void {
  api.get(
    '/pincall/1/events',
    {
      ...guard.scopes(MANAGE),
      schema: {
        ...describe({
          id: 'get-events',
          tag: 'Pincall',
          summary: 'What happens, as it happens',
          description: DESCRIPTION,
        }),
        produces: ['text/event-stream'],
        querystring: Type.Object({ after: Type.Optional(Type.String({ description: 'The id of an event.' })) }),
        headers: Type.Object({ 'last-event-id': Type.Optional(Type.String()) }),
        response: { 200: Type.Unsafe<Readable>({ type: 'string' }) },
      },
    },
    async (request, reply) => {
      const after =
        readCursor('last-event-id', request.headers['last-event-id']) ?? readCursor('after', request.query.after)
      const signal = endOf(reply.raw, closing)
      const stream = Readable.from(eventStream({ events, clock }, request.caller.accountId, after, signal), {
        objectMode: true,
        highWaterMark: 1, // a slow reader is waited for, and what it misses is read from the log again
      })
      reply.headers({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        connection: 'close',
        'x-accel-buffering': 'no',
      })
      return reply.send(stream)
    },
  )
}

/** Aborted when the reader leaves or the server closes, whichever is first. */
function endOf(response: ServerResponse, closing: AbortSignal): AbortSignal {
  const end = new AbortController()
  const stop = () => end.abort()
  closing.addEventListener('abort', stop)
  response.once('close', () => {
    closing.removeEventListener('abort', stop)
    stop()
  })
  return end.signal
}

function readCursor(field: string, text: string | undefined): number | undefined {
  if (!text) return undefined
  if (!/^\d{1,15}$/.test(text)) throw invalid(field, 'must be the id of an event: a whole number')
  return Number(text)
}
