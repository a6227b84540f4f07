import { addressOf, parseNameAddr, parseUri, tagOf } from './addresses.ts'
import { type Header, header, headerValues, type SipRequest, type SipResponse } from './message.ts'
import type { Address } from '../types.ts'

/** A dialog's own knowledge (RFC 3261 §12). Local and remote are the whole From and To values. */
export type Dialog = {
  callId: string
  local: string
  remote: string
  localTag: string
  remoteTag: string
  /** Where the peer wants in-dialog requests: its Contact. */
  remoteTarget: string
  routeSet: string[]
  localSeq: number
  remoteSeq: number | undefined
  /** Used where neither route set nor remote target is an address that can be sent to. */
  fallback: Address
}

/** The dialog that a response makes for who called (§12.1.2): the route set is the Record-Route reversed. */
export function dialogOfResponse(invite: SipRequest, response: SipResponse, fallback: Address): Dialog | undefined {
  const remote = header(response, 'to')
  const local = header(invite, 'from')!
  const remoteTag = tagOf(remote)
  if (remote === undefined || remoteTag === undefined) return undefined
  const contact = headerValues(response, 'contact')[0]
  return {
    callId: header(invite, 'call-id')!,
    local,
    remote,
    localTag: tagOf(local)!,
    remoteTag,
    remoteTarget: (contact && parseNameAddr(contact)?.uri) || invite.uri,
    routeSet: headerValues(response, 'record-route').reverse(),
    localSeq: Number.parseInt(header(invite, 'cseq')!, 10),
    remoteSeq: undefined,
    fallback,
  }
}

/** The dialog that a request makes for who is called (§12.1.1). `local` is the To with our tag. */
export function dialogOfRequest(request: SipRequest, local: string, source: Address): Dialog | undefined {
  const remote = header(request, 'from')
  const contact = headerValues(request, 'contact')[0]
  const remoteTarget = contact && parseNameAddr(contact)?.uri
  if (remote === undefined || !remoteTarget) return undefined
  return {
    callId: header(request, 'call-id')!,
    local,
    remote,
    localTag: tagOf(local)!,
    remoteTag: tagOf(remote) ?? '',
    remoteTarget,
    routeSet: headerValues(request, 'record-route'),
    localSeq: 0,
    remoteSeq: Number.parseInt(header(request, 'cseq')!, 10),
    fallback: source,
  }
}

/** A request inside the dialog, without its Via (§12.2.1.1). ACKs give the CSeq number of their INVITE. */
export function requestInDialog(
  dialog: Dialog,
  method: string,
  extra: readonly Header[] = [],
  body: Uint8Array = new Uint8Array(0),
  seq: number = ++dialog.localSeq,
): { request: SipRequest; to: Address } {
  const first = dialog.routeSet[0] && parseNameAddr(dialog.routeSet[0])?.uri
  const strict = first !== undefined && first !== '' && !parseUri(first)?.params.has('lr')
  const uri = strict ? first : dialog.remoteTarget
  const routes = strict ? [...dialog.routeSet.slice(1), `<${dialog.remoteTarget}>`] : dialog.routeSet
  const headers: Header[] = [
    ...routes.map((route): Header => ['route', route]),
    ['from', dialog.local],
    ['to', dialog.remote],
    ['call-id', dialog.callId],
    ['cseq', `${seq} ${method}`],
    ['max-forwards', '70'],
    ...extra,
  ]
  const to = addressOf(first || dialog.remoteTarget) ?? dialog.fallback
  return { request: { kind: 'request', method, uri, headers, body }, to }
}

/** Whether an in-dialog request comes in order; remembers its number (§12.2.2). */
export function inOrder(dialog: Dialog, request: SipRequest): boolean {
  const seq = Number.parseInt(header(request, 'cseq') ?? '', 10)
  if (!Number.isSafeInteger(seq)) return false
  if (dialog.remoteSeq !== undefined && seq < dialog.remoteSeq) return false
  dialog.remoteSeq = seq
  return true
}
