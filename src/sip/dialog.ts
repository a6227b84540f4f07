import { type Agent, dialogKey, newBranch } from './agent.ts'
import type { SipRequest, SipResponse } from './message.ts'
import { makeRequest } from './requests.ts'
import type { Address } from './types.ts'
import { addressOf, parseNameAddress, parseUri, tagOf } from './uri.ts'

/** RFC 3261 §12: what both ends remember so that requests find each other. */
export class Dialog {
  readonly callId: string
  readonly localTag: string
  readonly remoteTag: string
  /** Values of From and To in our requests. */
  readonly local: string
  readonly remote: string
  remoteTarget: string
  routeSet: string[]
  localCSeq: number
  remoteCSeq: number | undefined
  /** Where the INVITE went or came from: for a far end that gives no usable Contact. */
  readonly #fallback: Address

  constructor(parts: DialogParts) {
    this.callId = parts.callId
    this.localTag = parts.localTag
    this.remoteTag = parts.remoteTag
    this.local = parts.local
    this.remote = parts.remote
    this.remoteTarget = parts.remoteTarget
    this.routeSet = parts.routeSet
    this.localCSeq = parts.localCSeq
    this.remoteCSeq = parts.remoteCSeq
    this.#fallback = parts.fallback
  }

  get key(): string {
    return dialogKey(this.callId, this.localTag, this.remoteTag)
  }

  /** §12.2.1.1. The ACK to a 2xx carries the number of its INVITE, every other request the next one. */
  request(agent: Agent, method: string, options: { body?: Uint8Array; cseq?: number } = {}): [SipRequest, Address] {
    const cseq = options.cseq ?? ++this.localCSeq
    const { uri, routeSet } = this.#routing()
    const request = makeRequest({
      method,
      uri,
      routeSet,
      sentBy: agent.sentBy,
      branch: newBranch(agent.random),
      from: this.local,
      to: this.remote,
      callId: this.callId,
      cseq,
      ...(options.body && { body: options.body }),
    })
    return [request, addressOf(routeSet[0] === undefined ? uri : uriOf(this.routeSet[0])) ?? this.#fallback]
  }

  /** Loose routing; a first proxy without `lr` is a strict router of RFC 2543 and gets the URI that it wants. */
  #routing(): { uri: string; routeSet: readonly string[] } {
    const [first, ...rest] = this.routeSet
    if (first === undefined || parseUri(uriOf(first))?.params.has('lr')) {
      return { uri: this.remoteTarget, routeSet: this.routeSet }
    }
    return { uri: uriOf(first), routeSet: [...rest, `<${this.remoteTarget}>`] }
  }

  /** §13.2.2.4: the 2xx has the last word on where the requests of an early dialog go. */
  confirm(response: SipResponse): void {
    this.routeSet = response.headers.list('record-route').reverse()
    this.refreshTarget(response)
  }

  /** §12.2.2: a re-INVITE or UPDATE, or the 2xx to ours, can move the far end. */
  refreshTarget(message: SipRequest | SipResponse): void {
    this.remoteTarget = contactOf(message) ?? this.remoteTarget
  }

  /** §12.2.2: a number that is not higher than the last is out of order. */
  accepts(request: SipRequest): boolean {
    if (this.remoteCSeq !== undefined && request.cseq.number <= this.remoteCSeq) return false
    this.remoteCSeq = request.cseq.number
    return true
  }
}

type DialogParts = {
  callId: string
  localTag: string
  remoteTag: string
  local: string
  remote: string
  remoteTarget: string
  routeSet: string[]
  localCSeq: number
  remoteCSeq: number | undefined
  fallback: Address
}

/** §12.1.2: from our INVITE and an answer to it. Record-Route is read from the far end to us; RFC 2543 knew no tag. */
export function dialogOfCaller(invite: SipRequest, response: SipResponse, target: Address): Dialog {
  const remote = response.headers.get('to')!
  const remoteTag = tagOf(remote) ?? ''
  return new Dialog({
    callId: invite.callId,
    localTag: tagOf(invite.headers.get('from')) ?? '',
    remoteTag,
    local: invite.headers.get('from')!,
    remote,
    remoteTarget: contactOf(response) ?? invite.uri,
    routeSet: response.headers.list('record-route').reverse(),
    localCSeq: invite.cseq.number,
    remoteCSeq: undefined,
    fallback: target,
  })
}

/** §12.1.1: from their INVITE, which we answer with this tag. */
export function dialogOfCallee(invite: SipRequest, localTag: string, source: Address): Dialog {
  const remote = invite.headers.get('from')!
  return new Dialog({
    callId: invite.callId,
    localTag,
    remoteTag: tagOf(remote) ?? '',
    local: `${invite.headers.get('to')};tag=${localTag}`,
    remote,
    remoteTarget: contactOf(invite) ?? parseNameAddress(remote)?.uri ?? invite.uri,
    routeSet: invite.headers.list('record-route'),
    localCSeq: 0,
    remoteCSeq: invite.cseq.number,
    fallback: source,
  })
}

function contactOf(message: SipRequest | SipResponse): string | undefined {
  const [first] = message.headers.list('contact')
  const uri = first === undefined ? undefined : parseNameAddress(first)?.uri
  return uri !== undefined && addressOf(uri) ? uri : undefined
}

const uriOf = (route: string): string => parseNameAddress(route)?.uri ?? ''
