import { canonicalName, SINGLE } from './header-names.ts'
import { type Header, Headers, type SipRequest, type SipResponse } from './message.ts'
import { toWire } from './text.ts'

const NO_BODY = new Uint8Array(0)

/** A request of ours with the headers that every request has (RFC 3261 §8.1.1), in the order in which people read them. */
export function makeRequest(parts: {
  method: string
  uri: string
  /** Sent-by of the Via: our host and port. */
  sentBy: string
  branch: string
  routeSet?: readonly string[]
  from: string
  to: string
  callId: string
  cseq: number
  body?: Uint8Array
}): SipRequest {
  const { method, uri, sentBy, branch, callId } = parts
  const headers = new Headers()
  headers.add('via', `SIP/2.0/UDP ${sentBy};branch=${branch};rport`)
  for (const route of parts.routeSet ?? []) headers.add('route', route)
  headers.add('max-forwards', '70')
  headers.add('from', parts.from)
  headers.add('to', parts.to)
  headers.add('call-id', callId)
  headers.add('cseq', `${parts.cseq} ${method}`)
  return {
    kind: 'request',
    method,
    uri,
    headers,
    body: parts.body ?? NO_BODY,
    via: { transport: 'UDP', host: sentBy, branch, params: `;branch=${branch};rport` },
    callId,
    cseq: { number: parts.cseq, method },
  }
}

/** RFC 3261 §17.1.1.3: the ACK to a 3xx–6xx belongs to the INVITE's transaction: its URI, Via and Route. */
export const ackToFailure = (invite: SipRequest, failure: SipResponse): SipRequest =>
  likeInvite(invite, 'ACK', failure.headers.get('to')!)

/** RFC 3261 §9.1: a CANCEL is told from its INVITE by nothing but the method. */
export const cancelOf = (invite: SipRequest): SipRequest => likeInvite(invite, 'CANCEL', invite.headers.get('to')!)

function likeInvite(invite: SipRequest, method: 'ACK' | 'CANCEL', to: string): SipRequest {
  const headers = new Headers()
  headers.add('via', invite.headers.get('via')!)
  for (const route of invite.headers.lines('route')) headers.add('route', route)
  headers.add('max-forwards', '70')
  headers.add('from', invite.headers.get('from')!)
  headers.add('to', to)
  headers.add('call-id', invite.callId)
  headers.add('cseq', `${invite.cseq.number} ${method}`)
  return { ...invite, method, headers, body: NO_BODY, cseq: { number: invite.cseq.number, method } }
}

/** Headers that a caller of the room adds to a message. Those that the room itself answers for are not among them. */
export function callersHeaders(given: readonly (readonly [name: string, value: string])[]): Header[] {
  return given.map(([written, value]) => {
    const name = canonicalName(written)
    if (name === undefined) throw new TypeError('a header name is a token')
    if (SINGLE.has(name) || name === 'via') throw new TypeError(`${written} is written by the SIP room`)
    return [name, toWire(value)]
  })
}
