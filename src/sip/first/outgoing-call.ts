import type { Timer } from '../../clock.ts'
import { addressOf, hostPort, parseNameAddr, tagOf } from './addresses.ts'
import type { ClientTransaction } from './client-transaction.ts'
import { ALLOW, type Core, dialogKey, q850Of, responseTo, SDP } from './core.ts'
import { type Dialog, dialogOfResponse, requestInDialog } from './dialog.ts'
import { answerChallenge, chooseChallenge } from './digest.ts'
import { answerInDialog, sayBye } from './in-dialog.ts'
import { type Header, header, headerValues, type SipRequest, type SipResponse } from './message.ts'
import type { ServerTransaction } from './server-transaction.ts'
import type { Address, CallFailure, CallHandlers, InviteRequest, OutgoingCall } from '../types.ts'

const MOST_REDIRECTS = 5

/**
 * A call that we place (RFC 3261 §13.2, §14, §15): one INVITE, perhaps repeated for a challenge or a redirect, then one
 * dialog. The caller hears of one answer or one failure; what comes late or twice is ended without telling.
 *
 *   inviting ─2xx→ up ─BYE→ over          inviting ─failure→ over
 *   inviting ─hangUp, ring timer→ cancelling ─487→ over; a 2xx that crosses is ACKed and BYEd
 */
export class PlacedCall implements OutgoingCall {
  readonly callId: string
  #core: Core
  #asked: InviteRequest
  #handlers: CallHandlers
  #mayCall: (address: Address) => boolean
  #state: 'inviting' | 'cancelling' | 'abandoned' | 'up' | 'over' = 'inviting'
  #from: string
  #localTag: string
  #target: Address
  #uri: string
  #transaction: ClientTransaction | undefined
  #seq = 0
  #provisional = false
  #rang = false
  #diverted = false
  #cause: CallFailure['local']
  #challenged = new Map<string, number>() // realm → how often it was answered
  #extra: Header[] = []
  #redirects = 0
  #dialog: Dialog | undefined
  #acks = new Map<string, { bytes: Buffer; to: Address }>() // To tag → the ACK to its 2xx
  #early = new Map<string, { dialog: Dialog; rseq: number }>()
  #timers: Timer[] = []
  #refresh: Timer | undefined
  #onOver: () => void

  constructor(
    core: Core,
    asked: InviteRequest,
    handlers: CallHandlers,
    mayCall: (address: Address) => boolean,
    onOver: (call: PlacedCall) => void,
  ) {
    this.#onOver = () => onOver(this)
    this.#core = core
    this.#asked = asked
    this.#handlers = handlers
    this.#mayCall = mayCall
    this.callId = core.random.hex(16)
    this.#localTag = core.tag()
    const name = asked.from.displayName
    this.#from = `${name ? `"${name.replace(/["\\\r\n]/g, '')}" ` : ''}<${asked.from.uri}>;tag=${this.#localTag}`
    this.#target = asked.target
    this.#uri = asked.uri
    core.dialogs.set(dialogKey(this.callId, this.#localTag), this)
    this.#timers.push(
      core.clock.after(asked.noResponseMs ?? 4000, () => this.#noResponse()),
      core.clock.after(asked.ringTimeoutMs ?? 60_000, () => this.#cancel('ring_timeout')),
    )
    this.#invite()
  }

  hangUp(): void {
    if (this.#state === 'inviting') this.#cancel('cancelled')
    else if (this.#state === 'up') {
      sayBye(this.#core, this.#dialog!)
      this.#end({ by: 'us' })
    }
  }

  // ── the INVITE ────────────────────────────────────────────────────────────────────────────────────────────────────

  #invite(): void {
    this.#provisional = false
    const asked = this.#asked
    const core = this.#core
    const request: SipRequest = {
      kind: 'request',
      method: 'INVITE',
      uri: this.#uri,
      headers: [
        ['max-forwards', '70'],
        ['from', this.#from],
        ['to', `<${asked.to?.uri ?? asked.uri}>`],
        ['call-id', this.callId],
        ['cseq', `${++this.#seq} INVITE`],
        ['contact', core.contact],
        ALLOW,
        ['supported', '100rel, timer'],
        ...(asked.headers ?? []),
        ...this.#extra,
        ['content-type', asked.contentType ?? SDP],
      ],
      body: asked.body,
    }
    const transaction = core.request(request, this.#target, {
      onResponse: (response) => {
        if (transaction === this.#transaction || response.status < 300) this.#response(response)
      },
      onTimeout: () => this.#fail({ status: 408, reason: 'Request Timeout', local: this.#cause ?? 'no_response' }),
    })
    this.#transaction = transaction
  }

  #response(response: SipResponse): void {
    if (response.status < 200) return this.#progress(response)
    if (response.status < 300) return this.#success(response)
    if (this.#state === 'abandoned') return this.#forget()
    if (this.#state !== 'inviting' && this.#state !== 'cancelling') return
    if (this.#state === 'inviting' && this.#tryAgain(response)) return
    const q850 = q850Of(headerValues(response, 'reason'))
    const retryAfterS = Number.parseInt(header(response, 'retry-after') ?? '', 10)
    const cancelled = this.#cause !== undefined && response.status === 487
    this.#fail({
      status: response.status,
      reason: response.reason,
      ...(q850 !== undefined && { q850 }),
      ...(Number.isSafeInteger(retryAfterS) && { retryAfterS }),
      ...(cancelled && { local: this.#cause }),
    })
  }

  #progress(response: SipResponse): void {
    this.#provisional = true
    if (this.#state === 'abandoned' || this.#state === 'cancelling') return this.#sendCancel()
    if (this.#state !== 'inviting' || response.status === 100) return
    if (
      headerValues(response, 'require').some((each) => each.toLowerCase() === '100rel') &&
      !this.#acknowledgeProgress(response)
    )
      return
    if (response.status === 180 || response.status === 183) this.#rang = true
    if (showsDiversion(response)) this.#diverted = true
    const { status, reason, body } = response
    this.#handlers.onProgress?.({ status, reason, body, diverted: this.#diverted })
  }

  /** PRACK for a reliable provisional response (RFC 3262 §4); false where it is a repetition or out of order. */
  #acknowledgeProgress(response: SipResponse): boolean {
    const rseq = Number.parseInt(header(response, 'rseq') ?? '', 10)
    const tag = tagOf(header(response, 'to'))
    if (!Number.isSafeInteger(rseq) || tag === undefined) return false
    const known = this.#early.get(tag)
    if (known && rseq !== known.rseq + 1) return false
    const dialog = known?.dialog ?? dialogOfResponse(this.#transaction!.request, response, this.#target)
    if (!dialog) return false
    this.#early.set(tag, { dialog, rseq })
    const { request, to } = requestInDialog(dialog, 'PRACK', [['rack', `${rseq} ${header(response, 'cseq')}`]])
    this.#core.request(request, to, { onResponse() {}, onTimeout() {} })
    return true
  }

  // ── the answer ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Every 2xx is ACKed, again for each repetition; only the first makes the call, and only while it is wanted. */
  #success(response: SipResponse): void {
    const tag = tagOf(header(response, 'to'))
    const known = tag === undefined ? undefined : this.#acks.get(tag)
    if (known) return this.#core.transmit(known.bytes, known.to, true)
    const invite = this.#transaction!.request
    const dialog = dialogOfResponse(invite, response, this.#target)
    if (!dialog) return
    dialog.localSeq = Math.max(dialog.localSeq, this.#early.get(dialog.remoteTag)?.dialog.localSeq ?? 0, this.#seq)
    const authorization = invite.headers.filter(([name]) => name === 'authorization' || name === 'proxy-authorization')
    const { request, to } = requestInDialog(dialog, 'ACK', authorization, undefined, this.#seq)
    const bytes = this.#core.ack(request)
    this.#acks.set(dialog.remoteTag, { bytes, to })
    this.#core.transmit(bytes, to)
    if (this.#state !== 'inviting') {
      sayBye(this.#core, dialog)
      if (this.#state === 'cancelling')
        this.#fail({ status: 487, reason: 'Answered after it was cancelled', local: this.#cause ?? 'cancelled' })
      return
    }
    this.#state = 'up'
    this.#dialog = dialog
    for (const timer of this.#timers) timer.cancel()
    if (showsDiversion(response)) this.#diverted = true
    this.#keepSession(response)
    this.#handlers.onAnswer?.({ body: response.body, diverted: this.#diverted })
  }

  /** Session timers (RFC 4028 §7.2): we refresh at half the interval where we are to, else end what nobody refreshed. */
  #keepSession(response: SipResponse): void {
    const match = /^(\d{2,9})\s*(?:;.*?refresher\s*=\s*(uac|uas))?/i.exec(header(response, 'session-expires') ?? '')
    if (!match) return
    const interval = Number(match[1]) * 1000
    const ours = match[2]?.toLowerCase() === 'uac'
    this.#refresh?.cancel()
    this.#refresh = this.#core.clock.after(ours ? interval / 2 : interval - Math.min(32_000, interval / 3), () => {
      if (this.#state !== 'up') return
      if (!ours) return this.#lost()
      const expires: Header[] = [
        ['session-expires', `${match[1]};refresher=uac`],
        ['contact', this.#core.contact],
        ['supported', 'timer'],
      ]
      const { request, to } = requestInDialog(this.#dialog!, 'UPDATE', expires)
      this.#core.request(request, to, {
        onResponse: (answer) => {
          if (answer.status >= 200 && answer.status < 300) this.#keepSession(answer)
          else if (answer.status === 408 || answer.status === 481) this.#lost()
        },
        onTimeout: () => this.#lost(),
      })
    })
  }

  onRequest(request: SipRequest, transaction: ServerTransaction): void {
    const dialog = this.#dialog
    if (!dialog) {
      // A forked leg that we have ended already, or an UPDATE before the answer: nothing is up to be changed.
      const early = request.method === 'BYE'
      return transaction.respond(early ? responseTo(request, 200, 'OK') : responseTo(request, 491, 'Request Pending'))
    }
    answerInDialog(this.#core, dialog, request, transaction, {
      onEnd: (end) => {
        if (tagOf(header(request, 'from')) === dialog.remoteTag) this.#end(end)
      },
      onOffer: (body) => (this.#state === 'up' ? this.#handlers.onOffer?.(body) : undefined),
      onInfo: (info) => this.#handlers.onInfo?.(info),
    })
  }

  onAck(): void {}

  // ── failing and ending ────────────────────────────────────────────────────────────────────────────────────────────

  /** Answers a challenge, follows a redirect, or gives the wanted session interval: the same call once more. */
  #tryAgain(response: SipResponse): boolean {
    if (response.status === 401 || response.status === 407) return this.#authenticate(response)
    if (response.status === 422) {
      const least = header(response, 'min-se')
      if (!least || this.#extra.some(([name]) => name === 'session-expires')) return false
      this.#extra.push(['session-expires', least], ['min-se', least])
      this.#invite()
      return true
    }
    if (response.status < 300 || response.status > 399 || this.#redirects++ >= MOST_REDIRECTS) return false
    for (const contact of headerValues(response, 'contact')) {
      const uri = parseNameAddr(contact)?.uri
      const address = uri && addressOf(uri)
      if (!uri || !address || (hostPort(address) !== hostPort(this.#asked.target) && !this.#mayCall(address))) continue
      this.#uri = uri
      this.#target = address
      this.#invite()
      return true
    }
    return false
  }

  #authenticate(response: SipResponse): boolean {
    const proxy = response.status === 407
    const challenge = chooseChallenge(
      response.headers
        .filter(([name]) => name === (proxy ? 'proxy-authenticate' : 'www-authenticate'))
        .map(([, value]) => value),
    )
    const { credentials } = this.#asked
    if (!challenge || !credentials) return false
    const answered = this.#challenged.get(challenge.realm) ?? 0
    if (answered > 1 || (answered === 1 && !challenge.stale)) return false // refused once is refused
    this.#challenged.set(challenge.realm, answered + 1)
    const name = proxy ? 'proxy-authorization' : 'authorization'
    this.#extra = this.#extra.filter(([each]) => each !== name)
    this.#extra.push([
      name,
      answerChallenge(challenge, credentials, { method: 'INVITE', uri: this.#uri }, 1, this.#core.random),
    ])
    this.#invite()
    return true
  }

  #noResponse(): void {
    if (this.#state !== 'inviting' || this.#provisional) return
    this.#transaction?.quieten()
    this.#tell({ status: 408, reason: 'No response', local: 'no_response' })
    this.#state = 'abandoned' // it may ring late: CANCEL when its 1xx comes, BYE if its 200 does
    this.#timers.push(this.#core.clock.after(this.#core.timers.give, () => this.#forget()))
  }

  #cancel(cause: 'ring_timeout' | 'cancelled'): void {
    if (this.#state !== 'inviting') return
    this.#state = 'cancelling'
    this.#cause = cause
    if (this.#provisional) this.#sendCancel() // never before a 1xx (RFC 3261 §9.1)
    this.#timers.push(
      this.#core.clock.after(this.#core.timers.give, () =>
        this.#fail({ status: 408, reason: 'No answer to CANCEL', local: cause }),
      ),
    )
  }

  #cancelled = false
  #sendCancel(): void {
    const invite = this.#transaction?.request
    if (this.#cancelled || !invite) return
    this.#cancelled = true
    const cancel: SipRequest = {
      kind: 'request',
      method: 'CANCEL',
      uri: invite.uri,
      headers: [
        ...invite.headers.filter(([name]) => ['from', 'to', 'call-id', 'max-forwards', 'route'].includes(name)),
        ['cseq', `${this.#seq} CANCEL`],
      ],
      body: new Uint8Array(0),
    }
    this.#core.request(cancel, this.#target, { onResponse() {}, onTimeout() {} }, this.#transaction!.branch)
  }

  #fail(failure: Omit<CallFailure, 'rang'>): void {
    if (this.#state === 'abandoned') return this.#forget()
    if (this.#state === 'up' || this.#state === 'over') return
    this.#tell(failure)
    this.#forget()
  }

  #tell(failure: Omit<CallFailure, 'rang'>): void {
    this.#handlers.onFailure?.({ ...failure, rang: this.#rang })
  }

  #lost(): void {
    if (this.#state !== 'up') return
    sayBye(this.#core, this.#dialog!)
    this.#end({ by: 'lost' })
  }

  #end(end: Parameters<NonNullable<CallHandlers['onEnd']>>[0]): void {
    if (this.#state !== 'up') return
    this.#forget()
    this.#handlers.onEnd?.(end)
  }

  /** Over for whoever asked; transactions live on by their own timers and still answer what is repeated. */
  #forget(): void {
    this.#state = 'over'
    for (const timer of this.#timers) timer.cancel()
    this.#refresh?.cancel()
    this.#core.dialogs.delete(dialogKey(this.callId, this.#localTag))
    this.#onOver()
  }

  /** The endpoint closes: told once, and whatever is open ended. */
  shutDown(): void {
    if (this.#state === 'inviting' || this.#state === 'cancelling') {
      if (this.#provisional) this.#sendCancel()
      this.#fail({ status: 487, reason: 'Shutting down', local: 'closed' })
    } else if (this.#state === 'abandoned') this.#forget()
    else this.hangUp()
  }
}

/** 181, a Diversion header, or a History-Info entry with a cause of a redirection (RFC 3261, 5806, 7044). */
function showsDiversion(response: SipResponse): boolean {
  return (
    response.status === 181 ||
    header(response, 'diversion') !== undefined ||
    headerValues(response, 'history-info').some((each) => /cause(?:%3d|=)\s*(?:30\d|40[48]|48[067]|503)/i.test(each))
  )
}
