import type { Timer } from '../clock.ts'
import { type Agent, newTag } from './agent.ts'
import { ClientTransaction, type ClientUser } from './client-transaction.ts'
import { Authenticator } from './digest.ts'
import { failureOf, type LocalCause, localFailure } from './failure.ts'
import { secondsOf } from './headers.ts'
import { type InviteTexts, inviteOf, textsOf } from './invite-request.ts'
import type { SipRequest, SipResponse } from './message.ts'
import { MAX_REDIRECTS, redirectOf } from './redirect.ts'
import { cancelOf } from './requests.ts'
import { MIN_SE_S } from './session-timer.ts'
import type { Address, CallFailure, InviteRequest } from './types.ts'
import { parseUri } from './uri.ts'

export type InvitationUser = {
  onProvisional(response: SipResponse): void
  /** Each 2xx, also from several phones, also again, also after `stop`. */
  onSuccess(response: SipResponse): void
  /** Told once: refused, ended by `stop`, or by silence. */
  onFailure(failure: CallFailure): void
  /** The far end owes us no final answer any more. */
  onDone(): void
}

const NO_USER: ClientUser = { onResponse() {}, onTimeout() {}, onUnreachable() {} }

/** One wish to be answered: as many INVITEs as credentials, Min-SE and redirects need, and the right way to stop. */
export class Invitation implements ClientUser {
  readonly callId: string
  readonly auth: Authenticator
  rang = false
  /** A redirect led to another user than was called. */
  diverted = false
  readonly #agent: Agent
  readonly #user: InvitationUser
  readonly #texts: InviteTexts
  readonly #noResponseMs: number
  readonly #triedRealms = new Set<string>()
  #uri: string
  #target: Address
  #cseq = 0
  #minSe: number | undefined
  #redirects = 0
  #transaction!: ClientTransaction
  #cause: LocalCause | undefined // why no answer is wanted any more
  #mayCancel = false // RFC 3261 §9.1: not before a provisional answer
  #cancelled = false
  #reported = false
  #done = false
  #silenceTimer: Timer | undefined
  #ringTimer: Timer | undefined
  #finalTimer: Timer | undefined

  constructor(agent: Agent, request: InviteRequest, user: InvitationUser) {
    this.#agent = agent
    this.#user = user
    this.#texts = textsOf(request, newTag(agent.random))
    this.callId = agent.random.hex(16)
    this.auth = new Authenticator(request.credentials, agent.random)
    this.#uri = this.#texts.uri
    this.#target = request.target
    this.#noResponseMs = request.noResponseMs ?? 4000
    this.#ringTimer = agent.clock.after(request.ringTimeoutMs ?? 60_000, () => this.#onRingTimeout())
    this.#send()
  }

  /** The INVITE that counts: the last one sent. */
  get invite(): SipRequest {
    return this.#transaction.request
  }

  get target(): Address {
    return this.#target
  }

  get stopped(): boolean {
    return this.#cause !== undefined
  }

  get isDone(): boolean {
    return this.#done
  }

  /** No answer is wanted any more. The failure is told when the far end has said its last word. */
  stop(cause: LocalCause): void {
    if (this.#done || this.#cause) return
    this.#cause = cause
    this.#ringTimer?.cancel()
    if (this.#mayCancel) this.#cancel()
    else this.#transaction.stopResending() // who has not heard of the call need not hear of it; the silence timer tells
  }

  /** Forgets everything at once. */
  drop(cause: LocalCause): void {
    this.#transaction.end()
    this.#report(localFailure(this.#cause ?? cause, this.rang))
    this.#finish()
  }

  #send(): void {
    const more: [string, string][] = this.auth.headersFor('INVITE', this.#uri, this.#texts.body)
    if (this.#minSe !== undefined) more.push(['session-expires', `${this.#minSe}`], ['min-se', `${this.#minSe}`])
    const place = { uri: this.#uri, callId: this.callId, cseq: ++this.#cseq }
    this.#mayCancel = false
    this.#silenceTimer?.cancel()
    this.#silenceTimer = this.#agent.clock.after(this.#noResponseMs, () => this.#abandon())
    this.#transaction = new ClientTransaction(
      this.#agent,
      inviteOf(this.#agent, this.#texts, place, more),
      this.#target,
      this,
    )
  }

  /** Not even a 100 came: the call is given up here, though the INVITE may still arrive and be answered (#onLate…). */
  #abandon(): void {
    this.#cause ??= 'no_response'
    this.#ringTimer?.cancel()
    this.#transaction.stopResending()
    this.#report(localFailure(this.#cause, this.rang))
  }

  #onRingTimeout(): void {
    if (this.#mayCancel) this.stop('ring_timeout')
    else this.#abandon()
  }

  #cancel(): void {
    if (this.#cancelled || this.#transaction.isAnswered) return
    this.#cancelled = true
    new ClientTransaction(this.#agent, cancelOf(this.invite), this.#target, NO_USER)
    this.#finalTimer = this.#agent.clock.after(this.#agent.times.t64, () => this.drop(this.#cause!)) // §9.1
  }

  onResponse(response: SipResponse): void {
    this.#silenceTimer?.cancel()
    if (response.status < 200) this.#onProvisional(response)
    else if (response.status < 300) this.#onSuccess(response)
    else this.#onFinalFailure(response)
  }

  #onProvisional(response: SipResponse): void {
    this.#mayCancel = true
    if (response.status === 180 || response.status === 183) this.rang = true
    if (this.#cause) this.#cancel()
    else if (response.status > 100) this.#user.onProvisional(response)
  }

  #onSuccess(response: SipResponse): void {
    this.#user.onSuccess(response)
    if (this.#cause) this.#report(localFailure(this.#cause, this.rang)) // it crossed our CANCEL
    this.#finish()
  }

  #onFinalFailure(response: SipResponse): void {
    if (!this.#cause && this.#retries(response)) return this.#send()
    const failure = failureOf(response, this.rang)
    this.#report(this.#cause ? { ...failure, local: this.#cause } : failure)
    this.#finish()
  }

  /** Whether one more INVITE may get what this one did not; it is made ready for it. */
  #retries(response: SipResponse): boolean {
    const { status, headers } = response
    if (status === 401 || status === 407) return this.auth.take(response, this.#triedRealms)
    if (status === 422) {
      if (this.#minSe !== undefined) return false // RFC 4028 §7.3, once
      this.#minSe = Math.max(secondsOf(headers.get('min-se')) ?? 0, MIN_SE_S)
      return true
    }
    if (status < 300 || status > 399 || this.#redirects === MAX_REDIRECTS) return false
    const next = redirectOf(response, this.#target, (address) => this.#agent.allows(address))
    if (!next) return false
    this.#redirects++
    this.diverted ||= parseUri(next.uri)?.user !== parseUri(this.#uri)?.user
    this.#uri = next.uri
    this.#target = next.target
    return true
  }

  onTimeout(): void {
    this.#report(localFailure(this.#cause ?? 'no_response', this.rang))
    this.#finish()
  }

  onUnreachable(): void {
    this.#report(localFailure(this.#cause ?? 'unreachable', this.rang))
    this.#finish()
  }

  #report(failure: CallFailure): void {
    if (this.#reported || this.#done) return
    this.#reported = true
    this.#user.onFailure(failure)
  }

  #finish(): void {
    this.#silenceTimer?.cancel()
    this.#ringTimer?.cancel()
    this.#finalTimer?.cancel()
    if (this.#done) return
    this.#done = true
    this.#user.onDone()
  }
}
