import type { Timer } from '../clock.ts'
import { type Layer, type ServerTransactionLike, serverKey, type Table } from './layer.ts'
import { formatMessage, type SipRequest, type SipResponse } from './message.ts'
import { type ResponseParts, replyAddress, responseTo } from './responses.ts'
import type { Address } from './types.ts'

type State = 'trying' | 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated'
type Event = 'request' | 'ack' | '1xx' | '2xx' | '3xx-6xx' | 'G' | 'H' | 'I' | 'J' | 'L'
type Action = 'send' | 'resend'

/** RFC 3261 figure 7 with RFC 6026 figure 2: the server INVITE transaction over UDP. 2xx are resent by the call. */
const INVITE: Table<State, Event, Action> = {
  trying: {},
  proceeding: {
    request: { act: ['resend'] },
    '1xx': { act: ['send'] },
    '2xx': { to: 'accepted', act: ['send'] },
    '3xx-6xx': { to: 'completed', act: ['send'] },
  },
  completed: {
    request: { act: ['resend'] },
    G: { act: ['resend'] },
    H: { to: 'terminated' },
    ack: { to: 'confirmed' },
  },
  confirmed: { I: { to: 'terminated' } },
  accepted: {
    '2xx': { act: ['send'] },
    L: { to: 'terminated' },
  },
  terminated: {},
}

/** RFC 3261 figure 8: the server non-INVITE transaction over UDP. */
const NON_INVITE: Table<State, Event, Action> = {
  trying: {
    '1xx': { to: 'proceeding', act: ['send'] },
    '2xx': { to: 'completed', act: ['send'] },
    '3xx-6xx': { to: 'completed', act: ['send'] },
  },
  proceeding: {
    request: { act: ['resend'] },
    '1xx': { act: ['send'] },
    '2xx': { to: 'completed', act: ['send'] },
    '3xx-6xx': { to: 'completed', act: ['send'] },
  },
  completed: {
    request: { act: ['resend'] },
    J: { to: 'terminated' },
  },
  confirmed: {},
  accepted: {},
  terminated: {},
}

export class ServerTransaction implements ServerTransactionLike {
  readonly request: SipRequest
  /** Where the request came from and its answers go (RFC 3261 §18.2.2, RFC 3581 §4). */
  readonly source: Address
  /** Told when a CANCEL asks to end this INVITE. */
  onCancel: (() => void) | undefined
  readonly #layer: Layer
  readonly #key: string
  readonly #table: Table<State, Event, Action>
  readonly #replyTo: Address
  readonly #onEnd: (() => void) | undefined
  #state: State
  #last: Uint8Array | undefined
  #resendMs: number
  #resendTimer: Timer | undefined // G
  #endTimer: Timer | undefined // H, I, J or L

  constructor(layer: Layer, request: SipRequest, source: Address, onEnd?: () => void) {
    const invite = request.method === 'INVITE'
    this.request = request
    this.source = source
    this.#layer = layer
    this.#key = serverKey(request)
    this.#table = invite ? INVITE : NON_INVITE
    this.#replyTo = replyAddress(request, source)
    this.#onEnd = onEnd
    this.#state = invite ? 'proceeding' : 'trying'
    this.#resendMs = layer.times.t1
    layer.serverTransactions.set(this.#key, this)
  }

  /** Whether the request is this transaction's: the ACK to a 2xx is not, though some peers keep the INVITE's branch. */
  owns(request: SipRequest): boolean {
    return request.method !== 'ACK' || this.#state !== 'accepted'
  }

  /** The same request again, or the ACK to a failure. */
  receive(request: SipRequest): void {
    this.#on(request.method === 'ACK' ? 'ack' : 'request')
  }

  build(parts: ResponseParts): SipResponse {
    return responseTo(this.request, this.source, parts)
  }

  respond(parts: ResponseParts): void {
    this.send(this.build(parts))
  }

  send(response: SipResponse): void {
    const { status } = response
    this.#on(status < 200 ? '1xx' : status < 300 ? '2xx' : '3xx-6xx', formatMessage(response))
  }

  /** An answer or several are out, but no final one. */
  get isOpen(): boolean {
    return this.#state === 'trying' || this.#state === 'proceeding'
  }

  get hasAnswered(): boolean {
    return this.#last !== undefined
  }

  end(): void {
    this.#enter('terminated')
  }

  #on(event: Event, bytes?: Uint8Array): void {
    const step = this.#table[this.#state][event]
    if (!step) return
    if (step.to) this.#enter(step.to)
    for (const action of step.act ?? []) this.#act(action, event, bytes)
  }

  #enter(state: State): void {
    const { clock, times, serverTransactions } = this.#layer
    this.#state = state
    if (state === 'proceeding') return
    this.#resendTimer?.cancel()
    this.#endTimer?.cancel()
    switch (state) {
      case 'completed':
        if (this.#table === INVITE) this.#resendLater()
        this.#endTimer = clock.after(times.t64, () => this.#on(this.#table === INVITE ? 'H' : 'J'))
        break
      case 'confirmed':
        this.#endTimer = clock.after(times.t4, () => this.#on('I'))
        break
      case 'accepted':
        this.#endTimer = clock.after(times.t64, () => this.#on('L'))
        break
      case 'terminated':
        if (serverTransactions.delete(this.#key)) this.#onEnd?.()
    }
  }

  #act(action: Action, event: Event, bytes?: Uint8Array): void {
    if (action === 'send') {
      this.#last = bytes
      this.#layer.send(bytes!, this.#replyTo)
    } else if (action === 'resend' && this.#last) {
      this.#layer.stats.retransmitted++
      this.#layer.send(this.#last, this.#replyTo)
      if (event === 'G') this.#resendLater()
    }
  }

  #resendLater(): void {
    this.#resendTimer = this.#layer.clock.after(this.#resendMs, () => this.#on('G'))
    this.#resendMs = Math.min(this.#resendMs * 2, this.#layer.times.t2)
  }
}
