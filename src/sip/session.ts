import type { Timer } from '../clock.ts'
import type { Agent, DialogUser } from './agent.ts'
import { AnswerUntilAck } from './answer-until-ack.ts'
import { ask, type Final } from './ask.ts'
import type { Dialog } from './dialog.ts'
import type { Authenticator } from './digest.ts'
import { q850Of, reasonTextOf } from './headers.ts'
import type { Headers, SipRequest } from './message.ts'
import { ACCEPT, ALLOW } from './responses.ts'
import type { ServerTransaction } from './server-transaction.ts'
import { sessionBodyOf } from './session-body.ts'
import { SessionTimer } from './session-timer.ts'

export type SessionEnd = { by: 'them' | 'us' | 'lost'; q850?: number; reason?: string }

/** The call that a session belongs to. */
export type SessionOwner = {
  onOffer(body: Uint8Array): Uint8Array | undefined
  onInfo(info: { contentType: string; body: Uint8Array }): boolean
  /** The session ended; told once. */
  onEnd(end: SessionEnd): void
  /** The ACK to a 2xx of ours came. */
  onAcknowledged?(): void
  /** Its last request is answered too: nothing is left of it. */
  onOver(): void
}

/** What goes on inside one dialog, whoever called: the requests of both sides, from early dialog to BYE. */
export class Session implements DialogUser {
  readonly dialog: Dialog
  readonly auth: Authenticator
  /** The description that we sent last: a refresh by re-INVITE repeats it. */
  localBody: Uint8Array
  confirmed = false
  readonly timer: SessionTimer
  readonly #agent: Agent
  readonly #owner: SessionOwner
  readonly #answers = new Map<number, AnswerUntilAck>()
  #state: 'open' | 'ending' | 'over' = 'open'
  #refreshing = false
  #retryTimer: Timer | undefined
  #updateRefused = false

  constructor(agent: Agent, dialog: Dialog, owner: SessionOwner, auth: Authenticator, localBody: Uint8Array) {
    this.#agent = agent
    this.dialog = dialog
    this.#owner = owner
    this.auth = auth
    this.localBody = localBody
    this.timer = new SessionTimer(agent.clock, {
      refresh: (seconds) => this.#refresh(seconds),
      expire: () => this.bye('lost', 'SIP;cause=408;text="Session timer expired"'),
    })
    agent.dialogs.set(dialog.key, this)
  }

  get over(): boolean {
    return this.#state === 'over'
  }

  get ended(): boolean {
    return this.#state !== 'open'
  }

  /** Ends the session by BYE. Without effect where it has ended. */
  bye(by: 'us' | 'lost', reason?: string): void {
    if (this.ended) return
    this.#state = 'ending'
    const headers: [string, string][] = reason === undefined ? [] : [['reason', reason]]
    ask(this.#agent, this.dialog, this.auth, { method: 'BYE', headers }, () => this.drop())
    this.#end({ by })
  }

  /** Forgets the session without a word. */
  drop(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.timer.stop()
    this.#retryTimer?.cancel()
    for (const answer of this.#answers.values()) answer.stop()
    this.#agent.dialogs.delete(this.dialog.key)
    this.#owner.onOver()
  }

  /** A 2xx of ours goes out, and again until its ACK comes. */
  answerUntilAck(answer: AnswerUntilAck, cseq: number): void {
    this.#answers.set(cseq, answer)
  }

  acknowledged(request: SipRequest): void {
    const answer = this.#answers.get(request.cseq.number)
    if (!answer) return // the ACK again, or one for nothing
    answer.stop()
    this.#answers.delete(request.cseq.number)
    this.#owner.onAcknowledged?.()
  }

  receive(request: SipRequest, transaction: ServerTransaction): void {
    if (!this.dialog.accepts(request)) return transaction.respond({ status: 500, reason: 'CSeq out of order' })
    if (this.#state === 'over' || (this.ended && request.method !== 'BYE')) {
      return transaction.respond({ status: 481, reason: 'Call Does Not Exist' })
    }
    switch (request.method) {
      case 'BYE':
        return this.#receiveBye(request, transaction)
      case 'INVITE':
      case 'UPDATE':
        return this.#receiveOffer(request, transaction)
      case 'INFO':
        return this.#receiveInfo(request, transaction)
      case 'OPTIONS':
        return transaction.respond({ status: 200, reason: 'OK', headers: CAPABILITIES })
      case 'PRACK':
        return transaction.respond({ status: 481, reason: 'No such reliable response' })
      default:
        return transaction.respond({ status: 405, reason: 'Method Not Allowed', headers: [['allow', ALLOW]] })
    }
  }

  #receiveBye(request: SipRequest, transaction: ServerTransaction): void {
    transaction.respond({ status: 200, reason: 'OK' })
    if (this.ended) return
    const q850 = q850Of(request.headers)
    const reason = reasonTextOf(request.headers)
    this.#state = 'ending'
    this.#end({ by: 'them', ...(q850 !== undefined && { q850 }), ...(reason !== undefined && { reason }) })
    this.drop()
  }

  /** RFC 3261 §14.2, RFC 3311 §5.2: a new offer, a request for ours, or (UPDATE without body) a mere refresh. */
  #receiveOffer(request: SipRequest, transaction: ServerTransaction): void {
    const invite = request.method === 'INVITE'
    if (invite && (this.#refreshing || !this.confirmed)) {
      return transaction.respond({ status: 491, reason: 'Request Pending' })
    }
    const offer = sessionBodyOf(request)
    if (!offer)
      return transaction.respond({ status: 415, reason: 'Unsupported Media Type', headers: [['accept', ACCEPT]] })
    const refreshOnly = !invite && offer.length === 0
    const body = refreshOnly ? new Uint8Array(0) : this.#agent.tell(() => this.#owner.onOffer(offer))
    if (!body) return transaction.respond({ status: 488, reason: 'Not Acceptable Here' })
    this.dialog.refreshTarget(request)
    if (body.length) this.localBody = body
    const headers: [string, string][] = [
      ['contact', this.#agent.contact],
      ['allow', ALLOW],
      ['supported', 'timer'],
      ...this.timer.onRequest(request.headers),
    ]
    const parts = { status: 200, reason: 'OK', headers, body }
    if (!invite) return transaction.respond(parts)
    const response = transaction.build(parts)
    const onLost = () => this.bye('lost', 'SIP;cause=408;text="No ACK"')
    this.answerUntilAck(new AnswerUntilAck(this.#agent, transaction, response, onLost), request.cseq.number)
  }

  #receiveInfo(request: SipRequest, transaction: ServerTransaction): void {
    const info = { contentType: request.headers.get('content-type') ?? '', body: request.body }
    const taken = this.#agent.tell(() => this.#owner.onInfo(info))
    if (taken || request.body.length === 0) return transaction.respond({ status: 200, reason: 'OK' })
    transaction.respond({ status: 415, reason: 'Unsupported Media Type', headers: [['accept', ACCEPT]] })
  }

  /** RFC 4028 §7.4: by UPDATE, or where the far end knows none by re-INVITE with the session as it is. */
  #refresh(seconds: number): void {
    if (this.ended || this.#refreshing) return
    this.#refreshing = true
    const byInvite = this.#updateRefused
    const headers: [string, string][] = [
      ['supported', 'timer'],
      ['session-expires', `${seconds};refresher=uac`],
    ]
    const question = byInvite
      ? ({ method: 'INVITE', headers, body: this.localBody } as const)
      : ({ method: 'UPDATE', headers } as const)
    ask(this.#agent, this.dialog, this.auth, question, (final) => {
      this.#refreshing = false
      if (!this.ended) this.#refreshed(final, seconds, byInvite)
    })
  }

  #refreshed(final: Final, seconds: number, byInvite: boolean): void {
    if (final === 'timeout' || final === 'unreachable') return this.bye('lost')
    const { status, headers } = final
    if (status < 300) return this.timer.onAnswer(headers)
    if (status === 408 || status === 481) return this.bye('lost') // RFC 3261 §12.2.1.2: the dialog is no more
    if (status === 491) return this.#later(seconds)
    if (byInvite) return // refused for good: the timer runs out, or the far end lives on without
    this.#updateRefused = true
    this.#refresh(seconds)
  }

  /** RFC 3261 §14.1: after glare the caller waits 2.1 to 4 s; without knowing who called, that is safe for both. */
  #later(seconds: number): void {
    this.#retryTimer = this.#agent.clock.after(2100 + this.#agent.random.int(1900), () => this.#refresh(seconds))
  }

  /** What the answer to our INVITE says of the far end: an Allow without UPDATE means refreshes by re-INVITE. */
  knows(headers: Headers): void {
    this.#updateRefused = headers.get('allow') !== undefined && !headers.lists('allow', 'UPDATE')
  }

  #end(end: SessionEnd): void {
    this.timer.stop()
    this.#retryTimer?.cancel()
    for (const answer of this.#answers.values()) answer.stop()
    this.#owner.onEnd(end)
  }
}

export const CAPABILITIES: readonly (readonly [string, string])[] = [
  ['allow', ALLOW],
  ['accept', ACCEPT],
  ['supported', 'timer, 100rel'],
]
