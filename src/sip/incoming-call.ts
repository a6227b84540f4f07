import type { Timer } from '../clock.ts'
import { type Agent, newTag, type OpenCall } from './agent.ts'
import { AnswerUntilAck } from './answer-until-ack.ts'
import { dialogOfCallee } from './dialog.ts'
import { Authenticator } from './digest.ts'
import { canonicalName } from './header-names.ts'
import { sessionExpiresOf } from './headers.ts'
import type { SipRequest } from './message.ts'
import { callersHeaders } from './requests.ts'
import { ACCEPT, ALLOW, type ResponseParts } from './responses.ts'
import type { ServerTransaction } from './server-transaction.ts'
import { Session, type SessionEnd } from './session.ts'
import { sessionBodyOf } from './session-body.ts'
import { MIN_SE_S } from './session-timer.ts'
import { fromWire, toWire } from './text.ts'
import type { Address, IncomingCall } from './types.ts'
import { parseNameAddress, userOf } from './uri.ts'

/** A caller that has vanished sends no CANCEL: who never decides is not asked for ever. */
const LONGEST_RING_MS = 300_000

/** What an INVITE needs before anybody is asked about it; an answer where it lacks it. */
export function objectionTo(request: SipRequest): ResponseParts | undefined {
  if (sessionBodyOf(request) === undefined) {
    return { status: 415, reason: 'Unsupported Media Type', headers: [['accept', ACCEPT]] }
  }
  const wish = sessionExpiresOf(request.headers)
  if (wish && wish.seconds < MIN_SE_S && request.headers.lists('supported', 'timer')) {
    return { status: 422, reason: 'Session Interval Too Small', headers: [['min-se', `${MIN_SE_S}`]] }
  }
  return undefined
}

/** The callee's side of a call. */
export class UasCall implements IncomingCall, OpenCall {
  readonly callId: string
  readonly dialled: string
  readonly from: string
  readonly source: Address
  readonly body: Uint8Array
  handlers: IncomingCall['handlers'] = {}
  readonly #agent: Agent
  readonly #transaction: ServerTransaction
  readonly #session: Session
  readonly #tag: string
  readonly #ringTimer: Timer
  #answered = false
  #confirmed = false
  #endWhenConfirmed = false

  constructor(agent: Agent, transaction: ServerTransaction) {
    const { request, source } = transaction
    this.#agent = agent
    this.#transaction = transaction
    this.callId = request.callId
    this.dialled = userOf(request.uri)
    this.from = fromWire(parseNameAddress(request.headers.get('from')!)?.uri ?? '')
    this.source = source
    this.body = sessionBodyOf(request) ?? request.body
    this.#tag = newTag(agent.random)
    this.#session = this.#openSession(dialogOfCallee(request, this.#tag, source))
    transaction.onCancel = () => this.#onCancel()
    this.#ringTimer = agent.clock.after(LONGEST_RING_MS, () => this.#onCancel())
    agent.calls.add(this)
  }

  header(name: string): string | undefined {
    const known = canonicalName(name)
    const value = known && this.#transaction.request.headers.get(known)
    return value === undefined ? undefined : fromWire(value)
  }

  progress(status: number, reason: string, body?: Uint8Array): void {
    if (status < 101 || status > 199) throw new TypeError('a provisional answer is 101 to 199')
    if (this.#transaction.isOpen) this.#respond({ status, reason: toWire(reason), ...(body && { body }) })
  }

  answer(body: Uint8Array): void {
    if (!this.#transaction.isOpen) return
    this.#answered = true
    this.#ringTimer.cancel()
    this.#session.confirmed = true
    this.#session.localBody = body
    const { request } = this.#transaction
    const timed = request.headers.lists('supported', 'timer') ? this.#session.timer.onRequest(request.headers) : []
    const headers: [string, string][] = [...this.#ourHeaders(), ['supported', 'timer'], ...timed]
    const response = this.#transaction.build({ status: 200, reason: 'OK', headers, body, toTag: this.#tag })
    const onLost = () => this.#session.bye('lost')
    const answer = new AnswerUntilAck(this.#agent, this.#transaction, response, onLost)
    this.#session.answerUntilAck(answer, request.cseq.number)
  }

  reject(status: number, reason: string, headers: readonly (readonly [string, string])[] = []): void {
    if (status < 300 || status > 699) throw new TypeError('a rejection is 300 to 699')
    if (!this.#transaction.isOpen) return
    const parts = { status, reason: toWire(reason), headers: callersHeaders(headers), toTag: this.#tag }
    this.#transaction.respond(parts)
    this.#session.drop()
  }

  /** RFC 3261 §15: no BYE before the ACK came; it is sent as soon as it has. */
  hangUp(): void {
    if (!this.#answered) this.reject(486, 'Busy Here')
    else if (this.#confirmed) this.#session.bye('us')
    else this.#endWhenConfirmed = true
  }

  close(): void {
    if (this.#answered) this.hangUp()
    else this.reject(480, 'Temporarily Unavailable')
  }

  drop(): void {
    this.#session.drop()
  }

  #respond(parts: ResponseParts): void {
    this.#transaction.respond({ ...parts, headers: this.#ourHeaders(), toTag: this.#tag })
  }

  #ourHeaders(): [string, string][] {
    return [
      ['contact', this.#agent.contact],
      ['allow', ALLOW],
      ['server', this.#agent.userAgent],
    ]
  }

  #onCancel(): void {
    if (!this.#transaction.isOpen) return
    this.#transaction.respond({ status: 487, reason: 'Request Terminated', toTag: this.#tag })
    this.#session.drop()
    this.#agent.tell(() => this.handlers.onCancel?.())
  }

  #onAcknowledged(): void {
    if (this.#confirmed) return
    this.#confirmed = true
    this.#agent.tell(() => this.handlers.onConfirmed?.())
    if (this.#endWhenConfirmed) this.#session.bye('us')
  }

  #onEnd({ by }: SessionEnd): void {
    if (this.#answered) this.#agent.tell(() => this.handlers.onEnd?.({ by }))
    else this.#onCancel() // §15.1.2: a BYE in the early dialog ends the INVITE too
  }

  #openSession(dialog: ReturnType<typeof dialogOfCallee>): Session {
    const owner = {
      onOffer: (body: Uint8Array) => this.handlers.onOffer?.(body),
      onInfo: (info: { contentType: string; body: Uint8Array }) => {
        this.handlers.onInfo?.(info)
        return this.handlers.onInfo !== undefined
      },
      onEnd: (end: SessionEnd) => this.#onEnd(end),
      onAcknowledged: () => this.#onAcknowledged(),
      onOver: () => {
        this.#ringTimer.cancel()
        this.#agent.over(this)
      },
    }
    return new Session(this.#agent, dialog, owner, new Authenticator(undefined, this.#agent.random), new Uint8Array(0))
  }
}
