import type { Timer } from '../clock.ts'
import { type ClientTransactionLike, clientKey, type Layer, type Table } from './layer.ts'
import { formatMessage, type SipRequest, type SipResponse } from './message.ts'
import { ackToFailure } from './requests.ts'
import type { Address } from './types.ts'

/** Who is told what came of a request: every provisional answer, then finals (an INVITE can have several 2xx). */
export type ClientUser = {
  onResponse(response: SipResponse): void
  /** No final answer within 64×T1 (timer B or F). */
  onTimeout(): void
  /** The network said that nobody is there. */
  onUnreachable(): void
}

type State = 'calling' | 'trying' | 'proceeding' | 'completed' | 'accepted' | 'terminated'
type Event = 'A' | 'B' | 'D' | 'E' | 'F' | 'K' | 'M' | '1xx' | '2xx' | '3xx-6xx' | 'refused'
type Action = 'pass' | 'resend' | 'ack' | 'timeout' | 'unreachable'

/** RFC 3261 figure 5 with RFC 6026 figure 1: the client INVITE transaction over UDP. */
const INVITE: Table<State, Event, Action> = {
  trying: {},
  calling: {
    A: { act: ['resend'] },
    B: { to: 'terminated', act: ['timeout'] },
    refused: { to: 'terminated', act: ['unreachable'] },
    '1xx': { to: 'proceeding', act: ['pass'] },
    '2xx': { to: 'accepted', act: ['pass'] },
    '3xx-6xx': { to: 'completed', act: ['ack', 'pass'] },
  },
  proceeding: {
    '1xx': { act: ['pass'] },
    '2xx': { to: 'accepted', act: ['pass'] },
    '3xx-6xx': { to: 'completed', act: ['ack', 'pass'] },
  },
  completed: {
    '3xx-6xx': { act: ['ack'] },
    D: { to: 'terminated' },
  },
  accepted: {
    '2xx': { act: ['pass'] },
    M: { to: 'terminated' },
  },
  terminated: {},
}

/** RFC 3261 figure 6: the client non-INVITE transaction over UDP. */
const NON_INVITE: Table<State, Event, Action> = {
  calling: {},
  trying: {
    E: { act: ['resend'] },
    F: { to: 'terminated', act: ['timeout'] },
    refused: { to: 'terminated', act: ['unreachable'] },
    '1xx': { to: 'proceeding', act: ['pass'] },
    '2xx': { to: 'completed', act: ['pass'] },
    '3xx-6xx': { to: 'completed', act: ['pass'] },
  },
  proceeding: {
    E: { act: ['resend'] },
    F: { to: 'terminated', act: ['timeout'] },
    '1xx': { act: ['pass'] },
    '2xx': { to: 'completed', act: ['pass'] },
    '3xx-6xx': { to: 'completed', act: ['pass'] },
  },
  completed: { K: { to: 'terminated' } },
  accepted: {},
  terminated: {},
}

export class ClientTransaction implements ClientTransactionLike {
  readonly request: SipRequest
  readonly target: Address
  readonly #layer: Layer
  readonly #user: ClientUser
  readonly #key: string
  readonly #table: Table<State, Event, Action>
  readonly #bytes: Uint8Array
  #state: State
  #resendMs: number
  #resendTimer: Timer | undefined // A or E
  #endTimer: Timer | undefined // B or F, then D, K or M
  #ack: Uint8Array | undefined

  /** Sends the request at once. */
  constructor(layer: Layer, request: SipRequest, target: Address, user: ClientUser) {
    const invite = request.method === 'INVITE'
    this.request = request
    this.target = target
    this.#layer = layer
    this.#user = user
    this.#key = clientKey(request.via.branch, request.method)
    this.#table = invite ? INVITE : NON_INVITE
    this.#bytes = formatMessage(request)
    this.#state = invite ? 'calling' : 'trying'
    this.#resendMs = layer.times.t1
    layer.clientTransactions.set(this.#key, this)
    layer.send(this.#bytes, target)
    this.#resendLater()
    this.#endTimer = layer.clock.after(layer.times.t64, () => this.#on(invite ? 'B' : 'F'))
  }

  receive(response: SipResponse): void {
    this.#on(response.status < 200 ? '1xx' : response.status < 300 ? '2xx' : '3xx-6xx', response)
  }

  refused(): void {
    this.#on('refused')
  }

  /** Nobody waits for it any more: it asks no longer, but still hears what comes (telephony: a late 1xx, a late 200). */
  stopResending(): void {
    this.#resendTimer?.cancel()
    this.#resendTimer = undefined
  }

  get isAnswered(): boolean {
    return this.#state === 'completed' || this.#state === 'accepted' || this.#state === 'terminated'
  }

  /** Leaves no timer and no trace. */
  end(): void {
    this.#enter('terminated')
  }

  #on(event: Event, response?: SipResponse): void {
    const step = this.#table[this.#state][event]
    if (!step) return
    if (step.to) this.#enter(step.to)
    for (const action of step.act ?? []) this.#act(action, response)
  }

  #enter(state: State): void {
    const { clock, times, clientTransactions } = this.#layer
    const isInvite = this.#table === INVITE
    this.#state = state
    if (state === 'proceeding' && !isInvite) return // E and F run on
    this.stopResending()
    this.#endTimer?.cancel()
    switch (state) {
      case 'completed':
        this.#endTimer = isInvite
          ? clock.after(times.t64, () => this.#on('D'))
          : clock.after(times.t4, () => this.#on('K'))
        break
      case 'accepted':
        this.#endTimer = clock.after(times.t64, () => this.#on('M'))
        break
      case 'terminated':
        clientTransactions.delete(this.#key)
    }
  }

  #act(action: Action, response?: SipResponse): void {
    switch (action) {
      case 'pass':
        return this.#user.onResponse(response!)
      case 'ack':
        this.#ack ??= formatMessage(ackToFailure(this.request, response!))
        return this.#layer.send(this.#ack, this.target)
      case 'resend':
        return this.#resend()
      case 'timeout':
        return this.#user.onTimeout()
      case 'unreachable':
        return this.#user.onUnreachable()
    }
  }

  #resend(): void {
    const { layer, isInvite } = { layer: this.#layer, isInvite: this.#table === INVITE }
    layer.stats.retransmitted++
    layer.send(this.#bytes, this.target)
    if (this.#resendMs === 2 * layer.times.t1) layer.probe(this.target) // not a word after two tries: is anybody there?
    const doubled = this.#resendMs * 2
    if (isInvite) this.#resendMs = doubled
    else this.#resendMs = this.#state === 'proceeding' ? layer.times.t2 : Math.min(doubled, layer.times.t2)
    this.#resendLater()
  }

  #resendLater(): void {
    this.#resendTimer = this.#layer.clock.after(this.#resendMs, () => this.#on(this.#table === INVITE ? 'A' : 'E'))
  }
}
