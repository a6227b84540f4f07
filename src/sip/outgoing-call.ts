import type { Agent, OpenCall } from './agent.ts'
import { ask } from './ask.ts'
import { dialogOfCaller } from './dialog.ts'
import { parseRSeq, showsDiversion } from './headers.ts'
import { Invitation } from './invitation.ts'
import { formatMessage, type SipResponse } from './message.ts'
import { Session, type SessionEnd } from './session.ts'
import { sessionBodyOf } from './session-body.ts'
import { fromWire } from './text.ts'
import type { Address, CallFailure, CallHandlers, InviteRequest, OutgoingCall } from './types.ts'
import { tagOf } from './uri.ts'

/** A call that rings in more places than this is no phone call. */
const MAX_BRANCHES = 16
const NO_BODY = new Uint8Array(0)

/** One phone that the INVITE reached: its dialog, early or confirmed, and what it has said so far. */
type Branch = {
  session: Session
  lastRSeq?: number
  earlyBody?: Uint8Array
  ack?: [bytes: Uint8Array, to: Address]
  end?: SessionEnd
}

/** The caller's side of a call: an invitation, the dialogs that it makes, and the one of them that becomes the call. */
export class UacCall implements OutgoingCall, OpenCall {
  readonly #agent: Agent
  readonly #handlers: CallHandlers
  readonly #body: Uint8Array
  readonly #invitation: Invitation
  readonly #branches = new Map<string, Branch>()
  #answered: Branch | undefined

  constructor(agent: Agent, request: InviteRequest, handlers: CallHandlers) {
    this.#agent = agent
    this.#handlers = handlers
    this.#body = request.body
    this.#invitation = new Invitation(agent, request, {
      onProvisional: (response) => this.#onProvisional(response),
      onSuccess: (response) => this.#onSuccess(response),
      onFailure: (failure) => this.#onFailure(failure),
      onDone: () => this.#release(),
    })
    agent.calls.add(this)
  }

  get callId(): string {
    return this.#invitation.callId
  }

  hangUp(): void {
    if (this.#answered) this.#answered.session.bye('us')
    else this.#invitation.stop('cancelled')
  }

  close(): void {
    if (this.#answered) this.#answered.session.bye('us')
    else this.#invitation.stop('closed')
  }

  drop(): void {
    this.#invitation.drop('closed')
    for (const { session } of this.#branches.values()) session.drop()
  }

  #onProvisional(response: SipResponse): void {
    const branch = this.#branchOf(response)
    if (branch && !this.#acknowledgeReliable(branch, response)) return
    const body = sessionBodyOf(response) ?? NO_BODY
    if (branch && body.length) branch.earlyBody = body
    const { status } = response
    const diverted = status === 181 || this.#diverted(response)
    const progress = { status, reason: fromWire(response.reason), body, diverted }
    this.#tell(() => this.#handlers.onProgress?.(progress))
  }

  /** RFC 3262 §4: PRACK where the far end requires it. False for an answer that came before or comes too early. */
  #acknowledgeReliable(branch: Branch, response: SipResponse): boolean {
    const rseq = parseRSeq(response.headers.get('rseq'))
    if (rseq === undefined || !response.headers.lists('require', '100rel')) return true
    if (branch.lastRSeq !== undefined && rseq !== branch.lastRSeq + 1) return false
    branch.lastRSeq = rseq
    const rack = `${rseq} ${response.cseq.number} ${response.cseq.method}`
    const { session } = branch
    ask(this.#agent, session.dialog, session.auth, { method: 'PRACK', headers: [['rack', rack]] }, () => {})
    return true
  }

  #onSuccess(response: SipResponse): void {
    const branch = this.#branchOf(response)
    if (!branch) return
    if (branch.ack) return this.#agent.send(...branch.ack) // the 2xx again: our ACK was lost
    branch.session.dialog.confirm(response)
    branch.ack = this.#ackFor(branch.session)
    this.#agent.send(...branch.ack)
    branch.session.confirmed = true
    if (this.#answered || this.#invitation.stopped) return branch.session.bye('us')
    this.#answered = branch
    this.#dropEarly()
    branch.session.timer.onAnswer(response.headers)
    branch.session.knows(response.headers)
    const body = sessionBodyOf(response)
    const answer = { body: body?.length ? body : (branch.earlyBody ?? NO_BODY), diverted: this.#diverted(response) }
    this.#tell(() => this.#handlers.onAnswer?.(answer))
    const { end } = branch
    if (end) this.#tell(() => this.#handlers.onEnd?.(end)) // its BYE had overtaken the 200
  }

  /** RFC 3261 §13.2.2.4: the ACK carries the credentials of its INVITE. */
  #ackFor(session: Session): [Uint8Array, Address] {
    const { invite } = this.#invitation
    const [ack, to] = session.dialog.request(this.#agent, 'ACK', { cseq: invite.cseq.number })
    for (const name of ['authorization', 'proxy-authorization']) {
      for (const value of invite.headers.lines(name)) ack.headers.add(name, value)
    }
    return [formatMessage(ack), to]
  }

  #onFailure(failure: CallFailure): void {
    this.#tell(() => this.#handlers.onFailure?.(failure))
    this.#dropEarly()
  }

  /** Early dialogs end with the call's own answer or failure; a 2xx that still comes for one makes it anew. */
  #dropEarly(): void {
    for (const [tag, branch] of this.#branches) {
      if (branch.ack) continue
      this.#branches.delete(tag)
      branch.session.drop()
    }
  }

  /** The phone that an answer speaks for. None for an answer without a tag before the 2xx, or for one too many. */
  #branchOf(response: SipResponse): Branch | undefined {
    const tag = tagOf(response.headers.get('to')) ?? ''
    const known = this.#branches.get(tag)
    if (known) return known
    const early = response.status < 200
    if (!early && this.#branches.size >= MAX_BRANCHES) this.#dropEarly()
    if ((tag === '' && early) || this.#branches.size >= MAX_BRANCHES) return undefined
    const { invite, target, auth } = this.#invitation
    const dialog = dialogOfCaller(invite, response, target)
    const session: Session = new Session(
      this.#agent,
      dialog,
      {
        onOffer: (body) => this.#handlers.onOffer?.(body),
        onInfo: (info) => {
          this.#handlers.onInfo?.(info)
          return this.#handlers.onInfo !== undefined
        },
        onEnd: (end) => this.#onSessionEnd(branch, end),
        onOver: () => this.#release(),
      },
      auth,
      this.#body,
    )
    const branch: Branch = { session }
    this.#branches.set(tag, branch)
    this.#agent.calls.add(this)
    return branch
  }

  #onSessionEnd(branch: Branch, end: SessionEnd): void {
    if (branch === this.#answered) this.#tell(() => this.#handlers.onEnd?.(end))
    else branch.end = end
  }

  #diverted(response: SipResponse): boolean {
    return this.#invitation.diverted || showsDiversion(response.headers)
  }

  #release(): void {
    if (!this.#invitation.isDone) return
    for (const { session } of this.#branches.values()) if (!session.over) return
    this.#agent.over(this)
  }

  #tell(handler: () => void): void {
    this.#agent.tell(handler)
  }
}
