import type { Timer } from '../../clock.ts'
import { hostPort, parseVia, tagOf } from './addresses.ts'
import { ALLOW, Core, dialogKey, responseTo, SDP, type Wire } from './core.ts'
import { TakenCall } from './incoming-call.ts'
import { type Header, header, headerValues, parseMessage, type SipRequest, type SipResponse } from './message.ts'
import { PlacedCall } from './outgoing-call.ts'
import { ServerTransaction } from './server-transaction.ts'
import { timersOf } from './timers.ts'
import type { Address, EndpointOptions, IncomingCall, SipEndpoint } from '../types.ts'
import { openUdpWire } from './udp-wire.ts'

/** How long a close waits for the last answers. */
const CLOSE_MS = 2000
const STRANGER_LOG_MS = 10_000
const SUPPORTED = new Set(['100rel', 'timer'])

/** Opens a UDP socket and a user agent on it. Rejects where the address can not be bound. */
export async function openSipEndpoint(options: EndpointOptions): Promise<SipEndpoint> {
  let receive: (bytes: Uint8Array, from: Address) => void = () => {}
  const wire = await openUdpWire(
    options.bind,
    (bytes, from) => receive(bytes, from),
    (error) => options.log.warn({ err: error }, 'SIP socket error'),
  )
  const endpoint = makeEndpoint(options, wire)
  receive = endpoint.receive
  return endpoint
}

/** A user agent over any wire: what arrives is given to `receive`. It never throws, whatever the bytes are. */
export function makeEndpoint(
  options: EndpointOptions,
  wire: Wire,
): SipEndpoint & { receive(bytes: Uint8Array, from: Address): void } {
  const { clock, random, log, userAgent } = options
  const advertised = { host: options.advertisedHost ?? wire.local.host, port: wire.local.port }
  const core = new Core(wire, advertised, { clock, random, log, userAgent, timers: timersOf(options.t1Ms ?? 500) })
  const placed = new Set<PlacedCall>()
  const taken = new Map<string, TakenCall>() // INVITE's transaction key → the call, for CANCEL
  const seen = new Map<string, string>() // Call-ID, CSeq and From tag of a new request → its transaction key (482)
  let onInvite: ((call: IncomingCall) => void) | undefined
  let closing = false
  let strangerQuiet: Timer | undefined

  const mayCall = (address: Address): boolean => {
    if (!options.allowedPeers) return true
    for (const peer of options.allowedPeers()) if (peer.host === address.host) return true
    return false
  }

  function receive(bytes: Uint8Array, from: Address): void {
    core.stats.received++
    if (bytes.length <= 4 && Buffer.from(bytes).every((byte) => byte === 13 || byte === 10 || byte === 0)) return // keepalive (RFC 5626)
    const message = parseMessage(bytes)
    try {
      if (message.kind === 'response') onResponse(message)
      else if (message.kind === 'request') onRequest(message, from)
      else core.stats.malformed++
    } catch (error) {
      core.stats.malformed++
      log.error({ err: error }, 'a SIP message could not be handled')
    }
  }

  function onResponse(response: SipResponse): void {
    const via = parseVia(headerValues(response, 'via')[0] ?? '')
    const method = /^\d+\s+(\S+)$/.exec(header(response, 'cseq') ?? '')?.[1]
    if (!via || !method || !isWhole(response)) return void core.stats.malformed++
    core.clients.get(`${via.branch} ${method}`)?.receive(response)
  }

  function onRequest(request: SipRequest, from: Address): void {
    if (!mayCall(from)) return stranger(from)
    const [top] = headerValues(request, 'via')
    const via = parseVia(top ?? '')
    if (!via || !isWhole(request) || !/^\d{1,10}\s/.test(header(request, 'cseq')!)) return void core.stats.malformed++
    if (!header(request, 'cseq')!.endsWith(` ${request.method}`)) return void core.stats.malformed++
    stampVia(request, from)
    const method = request.method === 'ACK' ? 'INVITE' : request.method
    const key = `${via.branch} ${via.host}:${via.port} ${method}`
    const known = core.servers.get(key)
    if (request.method === 'ACK') return onAck(request, known)
    if (known) return known.repeat()
    const replyTo = { host: from.host, port: via.params.has('rport') ? from.port : via.port }
    const transaction = new ServerTransaction(request, {
      clock,
      timers: core.timers,
      send: (bytes, again) => core.transmit(bytes, replyTo, again),
      ended: () => core.servers.delete(key),
    })
    core.servers.set(key, transaction)
    dispatch(request, transaction, key, from)
  }

  function dispatch(request: SipRequest, transaction: ServerTransaction, key: string, from: Address): void {
    const refuse = (status: number, reason: string, headers: readonly Header[] = []) =>
      transaction.respond(responseTo(request, status, reason, { toTag: core.tag(), headers }))
    if (request.method === 'CANCEL') return onCancel(request, transaction, key)
    const unsupported = headerValues(request, 'require').filter((each) => !SUPPORTED.has(each.toLowerCase()))
    if (unsupported.length > 0) return refuse(420, 'Bad Extension', [['unsupported', unsupported.join(', ')]])
    const toTag = tagOf(header(request, 'to'))
    if (toTag !== undefined) {
      const owner = core.dialogs.get(dialogKey(header(request, 'call-id')!, toTag))
      return owner ? owner.onRequest(request, transaction) : refuse(481, 'Call/Transaction Does Not Exist')
    }
    if (request.method === 'OPTIONS') return refuse(200, 'OK', [ALLOW, ['accept', SDP], ['contact', core.contact]])
    if (
      request.method === 'BYE' ||
      request.method === 'UPDATE' ||
      request.method === 'INFO' ||
      request.method === 'PRACK'
    ) {
      return refuse(481, 'Call/Transaction Does Not Exist')
    }
    if (request.method !== 'INVITE') return refuse(405, 'Method Not Allowed', [ALLOW])
    const merged = `${header(request, 'call-id')} ${header(request, 'cseq')} ${tagOf(header(request, 'from'))}`
    if (seen.has(merged)) return refuse(482, 'Loop Detected')
    if (!onInvite || closing) return refuse(603, 'Decline')
    seen.set(merged, key)
    const call = new TakenCall(core, request, transaction, from, () => {
      taken.delete(key)
      seen.delete(merged)
    })
    taken.set(key, call)
    onInvite(call)
  }

  function onCancel(request: SipRequest, transaction: ServerTransaction, key: string): void {
    const invite = key.replace(/CANCEL$/, 'INVITE')
    if (!core.servers.has(invite))
      return transaction.respond(responseTo(request, 481, 'Call/Transaction Does Not Exist', { toTag: core.tag() }))
    transaction.respond(responseTo(request, 200, 'OK', { toTag: core.tag() }))
    taken.get(invite)?.cancelled()
  }

  /** To a non-2xx it has its INVITE's branch; to a 2xx it belongs to the dialog. */
  function onAck(request: SipRequest, transaction: ServerTransaction | undefined): void {
    if (transaction) return transaction.acknowledged()
    const toTag = tagOf(header(request, 'to'))
    if (toTag !== undefined) core.dialogs.get(dialogKey(header(request, 'call-id')!, toTag))?.onAck(request)
  }

  function stranger(from: Address): void {
    core.stats.strangers++
    if (strangerQuiet) return
    log.warn(
      { from: hostPort(from), strangers: core.stats.strangers },
      'SIP requests from an address that is no trunk are dropped',
    )
    strangerQuiet = clock.after(STRANGER_LOG_MS, () => {
      strangerQuiet = undefined
    })
  }

  return {
    receive,
    address: wire.local,
    stats: core.stats,
    get pending() {
      return core.clients.size + core.servers.size + core.dialogs.size
    },
    invite(request, handlers) {
      if (closing) {
        queueMicrotask(() =>
          handlers.onFailure?.({ status: 503, reason: 'Shutting down', local: 'closed', rang: false }),
        )
        return { callId: '', hangUp() {} }
      }
      const call = new PlacedCall(core, request, handlers, mayCall, (over) => placed.delete(over))
      placed.add(call)
      return call
    },
    onInvite(handler) {
      onInvite = handler
    },
    ping: (target, limits = {}) =>
      new Promise((resolve) => {
        const begun = clock.monotonic()
        const finish = (status: number) => {
          timer.cancel()
          resolve({ status, rttMs: clock.monotonic() - begun })
        }
        const timer = clock.after(limits.timeoutMs ?? 64 * core.timers.t1, () => {
          transaction.end()
          finish(408)
        })
        const uri = `sip:${hostPort(target)}`
        const headers: Header[] = [
          ['max-forwards', '70'],
          ['from', `<sip:pincall@${hostPort(advertised)}>;tag=${core.tag()}`],
          ['to', `<${uri}>`],
          ['call-id', random.hex(16)],
          ['cseq', '1 OPTIONS'],
          ['contact', core.contact],
          ['accept', SDP],
        ]
        const transaction = core.request(
          { kind: 'request', method: 'OPTIONS', uri, headers, body: new Uint8Array(0) },
          target,
          {
            onResponse: (response) => {
              if (response.status >= 200) finish(response.status)
            },
            onTimeout: () => finish(408),
          },
        )
      }),
    async close() {
      if (closing) return
      closing = true
      for (const call of [...placed]) call.shutDown()
      for (const call of [...taken.values()]) call.shutDown()
      const until = clock.monotonic() + CLOSE_MS
      const unanswered = () => [...core.clients.values()].some((transaction) => transaction.waiting)
      while (unanswered() && clock.monotonic() < until) await clock.wait(20)
      for (const transaction of [...core.clients.values()]) transaction.end()
      for (const transaction of [...core.servers.values()]) transaction.end()
      strangerQuiet?.cancel()
      await wire.close()
    },
  }
}

/** Every message needs these (RFC 3261 §8.1.1). */
const isWhole = (message: SipRequest | SipResponse): boolean =>
  ['from', 'to', 'call-id', 'cseq'].every((name) => (header(message, name) ?? '') !== '')

/** received and rport of the top Via (RFC 3261 §18.2.1, RFC 3581 §4). */
function stampVia(request: SipRequest, from: Address): void {
  const index = request.headers.findIndex(([name]) => name === 'via')
  const [, value] = request.headers[index]
  const comma = value.indexOf(',')
  const top = comma === -1 ? value : value.slice(0, comma)
  const rport = /;\s*rport(?=\s*(;|$))/i
  const stamped = `${top.replace(rport, `;rport=${from.port}`)};received=${from.host}`
  request.headers[index] = ['via', comma === -1 ? stamped : stamped + value.slice(comma)]
}
