import { type Agent, newBranch } from './agent.ts'
import type { SipRequest } from './message.ts'
import { callersHeaders, makeRequest } from './requests.ts'
import { ALLOW } from './responses.ts'
import { quote, toWire } from './text.ts'
import type { InviteRequest } from './types.ts'
import { parseUri } from './uri.ts'

/** The caller's texts, checked and made ready for the wire once for all tries of one call. */
export type InviteTexts = {
  uri: string
  from: string
  to: string
  headers: readonly (readonly [name: string, value: string])[]
  body: Uint8Array
  contentType: string
}

/** Throws TypeError where the request can be no INVITE: that is a mistake of the program, not of the network. */
export function textsOf(request: InviteRequest, fromTag: string): InviteTexts {
  const { displayName, uri } = request.from
  const to = request.to?.uri ?? request.uri
  for (const one of [request.uri, uri, to]) {
    if (!parseUri(toWire(one))) throw new TypeError('the URIs of an INVITE are sip: or tel: URIs')
  }
  const { port } = request.target
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new TypeError('the target of an INVITE has a port')
  const name = displayName === undefined ? '' : `${quote(toWire(displayName))} `
  return {
    uri: toWire(request.uri),
    from: `${name}<${toWire(uri)}>;tag=${fromTag}`,
    to: `<${toWire(to)}>`,
    headers: callersHeaders(request.headers ?? []),
    body: request.body,
    contentType: toWire(request.contentType ?? 'application/sdp'),
  }
}

export function inviteOf(
  agent: Agent,
  texts: InviteTexts,
  place: { uri: string; callId: string; cseq: number },
  more: readonly (readonly [name: string, value: string])[],
): SipRequest {
  const { from, to, body } = texts
  const branch = newBranch(agent.random)
  const invite = makeRequest({ method: 'INVITE', ...place, sentBy: agent.sentBy, branch, from, to, body })
  invite.headers.add('contact', agent.contact)
  for (const [name, value] of more) invite.headers.add(name, value)
  for (const [name, value] of texts.headers) invite.headers.add(name, value)
  invite.headers.add('allow', ALLOW).add('supported', '100rel, timer').add('user-agent', agent.userAgent)
  if (body.length) invite.headers.add('content-type', texts.contentType)
  return invite
}
