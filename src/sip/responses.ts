import { formatMessage, Headers, type SipRequest, type SipResponse } from './message.ts'
import type { Address } from './types.ts'
import { hostText } from './uri.ts'

export const ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK'
export const ACCEPT = 'application/sdp'
/** Extensions that we can be required to know. Reliable provisional answers we acknowledge, but send none. */
export const SUPPORTED_AS_CALLEE = ['timer']
const NO_BODY = new Uint8Array(0)

export type ResponseParts = {
  status: number
  reason: string
  headers?: readonly (readonly [name: string, value: string])[]
  body?: Uint8Array
  contentType?: string
  /** Put on the To where the request had no tag (RFC 3261 §8.2.6.2). */
  toTag?: string
}

/** RFC 3261 §8.2.6: what an answer takes over from its request, and what it adds. Names in canonical form. */
export function responseTo(request: SipRequest, source: Address, parts: ResponseParts): SipResponse {
  const { status, reason, toTag, body = NO_BODY } = parts
  const headers = new Headers()
  copyVias(request, source, headers)
  const dialogForming = request.method === 'INVITE' && status > 100 && status < 300
  if (dialogForming) for (const value of request.headers.lines('record-route')) headers.add('record-route', value)
  const to = request.headers.get('to')!
  headers.add('from', request.headers.get('from')!)
  headers.add(
    'to',
    toTag === undefined || status === 100 || /;[ \t]*tag[ \t]*=/i.test(afterUri(to)) ? to : `${to};tag=${toTag}`,
  )
  headers.add('call-id', request.callId)
  headers.add('cseq', `${request.cseq.number} ${request.cseq.method}`)
  const timestamp = status === 100 ? request.headers.get('timestamp') : undefined
  if (timestamp) headers.add('timestamp', timestamp)
  for (const [name, value] of parts.headers ?? []) headers.add(name, value)
  if (body.length) headers.add('content-type', parts.contentType ?? 'application/sdp')
  return {
    kind: 'response',
    status,
    reason,
    headers,
    body,
    via: request.via,
    callId: request.callId,
    cseq: request.cseq,
  }
}

const afterUri = (value: string): string => value.slice(value.lastIndexOf('>') + 1)

/** RFC 3581 §4: the topmost Via learns whence its request really came. */
function copyVias(request: SipRequest, source: Address, headers: Headers): void {
  const lines = request.headers.lines('via')
  const { via } = request
  const sentBy = via.port === undefined ? via.host : `${via.host}:${via.port}`
  const params = via.params
    .replace(/;[ \t]*received[ \t]*=[^;]*/i, '')
    .replace(/;[ \t]*rport(?:[ \t]*=[^;]*)?(?=;|[ \t]*$)/i, `;rport=${source.port};received=${hostText(source.host)}`)
  const received = params.includes(';received=') || via.host === source.host ? '' : `;received=${source.host}`
  headers.add('via', `SIP/2.0/${via.transport} ${sentBy}${params}${received}`)
  const [, ...rest] = request.headers
    .list('via')
    .slice(0, lines.length === 1 && !lines[0].includes(',') ? 1 : undefined)
  for (const value of rest) headers.add('via', value)
}

/** An answer outside any transaction, for what is too broken to have one. */
export function statelessAnswer(request: SipRequest, source: Address, parts: ResponseParts): [Buffer, Address] {
  return [formatMessage(responseTo(request, source, parts)), replyAddress(request, source)]
}

/** With rport answers go back exactly where the request came from; without, to that host at the Via's port. */
export function replyAddress(request: SipRequest, source: Address): Address {
  if (/;[ \t]*rport(?=[ \t]*(;|$))/i.test(request.via.params)) return source
  return { host: source.host, port: request.via.port ?? 5060 }
}
