import { ALLOW, type Core, q850Of, responseTo, SDP } from './core.ts'
import { type Dialog, inOrder, requestInDialog } from './dialog.ts'
import { type Header, header, headerValues, type SipRequest } from './message.ts'
import type { ServerTransaction } from './server-transaction.ts'

export type InDialogHandlers = {
  onEnd(end: { by: 'them' | 'us' | 'lost'; q850?: number; reason?: string }): void
  onOffer(body: Uint8Array): Uint8Array | undefined
  onInfo(info: { contentType: string; body: Uint8Array }): void
}

/** What a confirmed call answers to requests inside its dialog, the same for who called and who was called. */
export function answerInDialog(
  core: Core,
  dialog: Dialog,
  request: SipRequest,
  transaction: ServerTransaction,
  handlers: InDialogHandlers,
): void {
  const respond = (status: number, reason: string, headers: readonly Header[] = [], body?: Uint8Array) =>
    transaction.respond(responseTo(request, status, reason, { headers, ...(body && { body }) }))
  if (!inOrder(dialog, request)) return respond(500, 'Server Internal Error', [['retry-after', '1']])
  switch (request.method) {
    case 'BYE': {
      respond(200, 'OK')
      const reasons = headerValues(request, 'reason')
      const q850 = q850Of(reasons)
      return handlers.onEnd({
        by: 'them',
        ...(q850 !== undefined && { q850 }),
        ...(reasons[0] && { reason: reasons[0] }),
      })
    }
    case 'INVITE':
    case 'UPDATE': {
      if (request.method === 'UPDATE' && request.body.length === 0)
        return respond(200, 'OK', [['contact', core.contact]])
      const answer = handlers.onOffer(request.body)
      if (!answer) return respond(488, 'Not Acceptable Here')
      refreshTarget(dialog, request)
      return respond(200, 'OK', [['contact', core.contact], ALLOW, ['content-type', SDP]], answer)
    }
    case 'INFO':
      respond(200, 'OK')
      return handlers.onInfo({ contentType: header(request, 'content-type') ?? '', body: request.body })
    case 'OPTIONS':
      return respond(200, 'OK', [ALLOW, ['accept', SDP]])
    case 'PRACK':
      return respond(200, 'OK')
    default:
      return respond(405, 'Method Not Allowed', [ALLOW])
  }
}

/** A re-INVITE or UPDATE moves the remote target (RFC 3261 §12.2.2). */
function refreshTarget(dialog: Dialog, request: SipRequest): void {
  const uri = /<([^>]+)>|^([^;\s]+)/.exec(headerValues(request, 'contact')[0] ?? '')
  if (uri) dialog.remoteTarget = uri[1] ?? uri[2]
}

/** Sends BYE; nobody waits for its answer, but it is repeated until one comes. */
export function sayBye(core: Core, dialog: Dialog): void {
  const { request, to } = requestInDialog(dialog, 'BYE', [['reason', 'Q.850;cause=16;text="Normal call clearing"']])
  core.request(request, to, { onResponse() {}, onTimeout() {} })
}
