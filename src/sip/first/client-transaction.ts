import type { Clock, Timer } from '../../clock.ts'
import { formatMessage, header, type SipRequest, type SipResponse } from './message.ts'
import type { Timers } from './timers.ts'

/**
 * Client transactions over UDP (RFC 3261 §17.1 with RFC 6026's Accepted state).
 *
 *   INVITE      calling ─1xx→ proceeding ─300-699→ completed(D) → terminated
 *                  └────────────┴──────────2xx──→ accepted(M) → terminated
 *   others      trying ─1xx→ proceeding ─final→ completed(K) → terminated
 */
type State = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated'

export type ClientDeps = {
  clock: Clock
  timers: Timers
  send(bytes: Buffer, again: boolean): void
  /** The transaction is over: forget it. */
  ended(branch: string): void
}

export type ClientHandlers = {
  /** Each provisional and final response that is not a repetition; in Accepted every 2xx again (forks, lost ACKs). */
  onResponse(response: SipResponse): void
  /** Timer B or F: nothing final came. */
  onTimeout(): void
}

export class ClientTransaction {
  readonly branch: string
  readonly request: SipRequest
  #deps: ClientDeps
  #handlers: ClientHandlers
  #state: State = 'calling'
  #bytes: Buffer
  #ack: Buffer | undefined
  #retransmit: Timer | undefined
  #limit: Timer | undefined
  #invite: boolean

  constructor(branch: string, request: SipRequest, deps: ClientDeps, handlers: ClientHandlers) {
    this.branch = branch
    this.request = request
    this.#deps = deps
    this.#handlers = handlers
    this.#invite = request.method === 'INVITE'
    this.#bytes = formatMessage(request)
    deps.send(this.#bytes, false)
    this.#retransmitAfter(deps.timers.t1) // A or E
    this.#limit = deps.clock.after(deps.timers.give, () => this.#timeout()) // B or F
  }

  /** No final answer yet, and one may still come. */
  get waiting(): boolean {
    return this.#state === 'calling' || this.#state === 'proceeding'
  }

  receive(response: SipResponse): void {
    if (response.status < 200) this.#provisional(response)
    else if (this.#invite && response.status < 300) this.#success(response)
    else this.#final(response)
  }

  /** Stops sending and forgets the timers: the caller gives up on an answer (no-response timer). Late ones still arrive. */
  quieten(): void {
    this.#retransmit?.cancel()
  }

  /** Ends at once, telling nobody. */
  end(): void {
    if (this.#state === 'terminated') return
    this.#state = 'terminated'
    this.#retransmit?.cancel()
    this.#limit?.cancel()
    this.#deps.ended(this.branch)
  }

  #provisional(response: SipResponse): void {
    if (this.#state !== 'calling' && this.#state !== 'proceeding') return
    if (this.#state === 'calling') {
      this.#state = 'proceeding'
      if (this.#invite) {
        this.#retransmit?.cancel()
        this.#limit?.cancel() // nothing but our own ring timer ends it from here on
      }
    }
    this.#handlers.onResponse(response)
  }

  #success(response: SipResponse): void {
    if (this.#state === 'completed' || this.#state === 'terminated') return
    if (this.#state !== 'accepted') {
      this.#state = 'accepted'
      this.#finishAfter(this.#deps.timers.give) // M
    }
    this.#handlers.onResponse(response)
  }

  #final(response: SipResponse): void {
    if (this.#state === 'completed') {
      if (this.#ack) this.#deps.send(this.#ack, true)
      return
    }
    if (this.#state !== 'calling' && this.#state !== 'proceeding') return
    this.#state = 'completed'
    if (this.#invite) {
      this.#ack = formatMessage(ackOf(this.request, response))
      this.#deps.send(this.#ack, false)
    }
    this.#finishAfter(this.#invite ? this.#deps.timers.give : this.#deps.timers.t4) // D or K
    this.#handlers.onResponse(response)
  }

  #retransmitAfter(ms: number): void {
    this.#retransmit = this.#deps.clock.after(ms, () => {
      this.#deps.send(this.#bytes, true)
      const { t2 } = this.#deps.timers
      this.#retransmitAfter(this.#invite ? ms * 2 : this.#state === 'proceeding' ? t2 : Math.min(ms * 2, t2))
    })
  }

  #finishAfter(ms: number): void {
    this.#retransmit?.cancel()
    this.#limit?.cancel()
    this.#limit = this.#deps.clock.after(ms, () => this.end())
  }

  #timeout(): void {
    this.end()
    this.#handlers.onTimeout()
  }
}

/** The ACK to a non-2xx: same branch, Request-URI and Route as its INVITE (RFC 3261 §17.1.1.3). */
function ackOf(invite: SipRequest, response: SipResponse): SipRequest {
  const cseq = header(invite, 'cseq')!.split(' ')[0]
  const headers = invite.headers
    .filter(([name]) => ['via', 'from', 'call-id', 'max-forwards', 'route'].includes(name))
    .slice()
  headers.push(['to', header(response, 'to') ?? header(invite, 'to')!], ['cseq', `${cseq} ACK`])
  return { kind: 'request', method: 'ACK', uri: invite.uri, headers, body: new Uint8Array(0) }
}
