import { parseUri } from './addresses.ts'
import { ALLOW, type Core, dialogKey, responseTo, SDP } from './core.ts'
import { type Dialog, dialogOfRequest } from './dialog.ts'
import { answerInDialog, sayBye } from './in-dialog.ts'
import { type Header, header, type SipRequest } from './message.ts'
import type { ServerTransaction } from './server-transaction.ts'
import type { Address, IncomingCall } from '../types.ts'

/** A call that somebody places to us (RFC 3261 §13.3). */
export class TakenCall implements IncomingCall {
  readonly callId: string
  readonly dialled: string
  readonly from: string
  readonly source: Address
  readonly body: Uint8Array
  handlers: IncomingCall['handlers'] = {}
  #core: Core
  #request: SipRequest
  #transaction: ServerTransaction
  #localTag: string
  #dialog: Dialog | undefined
  #state: 'ringing' | 'answered' | 'up' | 'over' = 'ringing'
  #onOver: () => void

  constructor(core: Core, request: SipRequest, transaction: ServerTransaction, source: Address, onOver: () => void) {
    this.#core = core
    this.#request = request
    this.#transaction = transaction
    this.#onOver = onOver
    this.source = source
    this.callId = header(request, 'call-id')!
    this.dialled = decodeUser(parseUri(request.uri)?.user ?? '')
    this.from = header(request, 'from')!
    this.body = request.body
    this.#localTag = core.tag()
    core.dialogs.set(dialogKey(this.callId, this.#localTag), this)
    transaction.respond(responseTo(request, 100, 'Trying'))
  }

  header(name: string): string | undefined {
    return header(this.#request, name.toLowerCase())
  }

  progress(status: number, reason: string, body?: Uint8Array): void {
    if (this.#state !== 'ringing' || status < 101 || status > 199) return
    this.#respond(
      status,
      reason,
      body
        ? [
            ['contact', this.#core.contact],
            ['content-type', SDP],
          ]
        : [['contact', this.#core.contact]],
      body,
    )
  }

  answer(body: Uint8Array): void {
    if (this.#state !== 'ringing') return
    const to = header(this.#request, 'to')!
    this.#dialog = dialogOfRequest(this.#request, `${to};tag=${this.#localTag}`, this.source)
    if (!this.#dialog) return this.reject(400, 'Bad Contact')
    this.#state = 'answered'
    this.#transaction.onUnacknowledged = () => {
      if (this.#state !== 'answered') return
      sayBye(this.#core, this.#dialog!)
      this.#end('lost')
    }
    this.#respond(200, 'OK', [['contact', this.#core.contact], ALLOW, ['content-type', SDP]], body)
  }

  reject(status: number, reason: string, headers: readonly Header[] = []): void {
    if (this.#state !== 'ringing') return
    this.#respond(
      status,
      reason,
      headers.map(([name, value]): Header => [name.toLowerCase(), value]),
    )
    this.#over()
  }

  hangUp(): void {
    if (this.#state === 'ringing') return this.reject(486, 'Busy Here')
    if (this.#state === 'over') return
    sayBye(this.#core, this.#dialog!)
    this.#end('us')
  }

  /** CANCEL came: its own 200 is the endpoint's; the INVITE ends with 487. */
  cancelled(): void {
    if (this.#state !== 'ringing') return
    this.#respond(487, 'Request Terminated')
    this.#over()
    this.handlers.onCancel?.()
  }

  onAck(): void {
    this.#transaction.acknowledged()
    if (this.#state !== 'answered') return
    this.#state = 'up'
    this.handlers.onConfirmed?.()
  }

  onRequest(request: SipRequest, transaction: ServerTransaction): void {
    if (!this.#dialog) return transaction.respond(responseTo(request, 481, 'Call/Transaction Does Not Exist'))
    answerInDialog(this.#core, this.#dialog, request, transaction, {
      onEnd: ({ by }) => this.#end(by),
      onOffer: (body) => this.handlers.onOffer?.(body),
      onInfo: (info) => this.handlers.onInfo?.(info),
    })
  }

  shutDown(): void {
    if (this.#state === 'ringing') this.reject(503, 'Service Unavailable')
    else this.hangUp()
  }

  #respond(status: number, reason: string, headers: readonly Header[] = [], body?: Uint8Array): void {
    this.#transaction.respond(
      responseTo(this.#request, status, reason, { toTag: this.#localTag, headers, ...(body && { body }) }),
    )
  }

  #end(by: 'them' | 'us' | 'lost'): void {
    if (this.#state === 'over') return
    this.#over()
    this.handlers.onEnd?.({ by })
  }

  #over(): void {
    this.#state = 'over'
    this.#transaction.onUnacknowledged = undefined
    this.#core.dialogs.delete(dialogKey(this.callId, this.#localTag))
    this.#onOver()
  }
}

function decodeUser(user: string): string {
  try {
    return decodeURIComponent(user)
  } catch {
    return user
  }
}
