import type { Clock, Timer } from '../../clock.ts'
import { formatMessage, type SipRequest, type SipResponse } from './message.ts'
import type { Timers } from './timers.ts'

/**
 * Server transactions over UDP (RFC 3261 §17.2 with RFC 6026's Accepted state).
 *
 *   INVITE      proceeding ─300-699→ completed(G,H) ─ACK→ confirmed(I) → terminated
 *                   └───────2xx───→ accepted(L; 2xx repeated until its ACK) → terminated
 *   others      proceeding ─final→ completed(J) → terminated
 */
type State = 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated'

export type ServerDeps = {
  clock: Clock
  timers: Timers
  send(bytes: Buffer, again: boolean): void
  ended(): void
}

export class ServerTransaction {
  readonly request: SipRequest
  #deps: ServerDeps
  #state: State = 'proceeding'
  #last: Buffer | undefined
  #retransmit: Timer | undefined
  #limit: Timer | undefined
  #invite: boolean
  /** Timer H or L: no ACK ever came. */
  onUnacknowledged: (() => void) | undefined

  constructor(request: SipRequest, deps: ServerDeps) {
    this.request = request
    this.#deps = deps
    this.#invite = request.method === 'INVITE'
  }

  get final(): boolean {
    return this.#state !== 'proceeding'
  }

  /** The same request again: the last answer again. */
  repeat(): void {
    if (this.#last && this.#state !== 'confirmed') this.#deps.send(this.#last, true)
  }

  respond(response: SipResponse): void {
    if (this.#state !== 'proceeding') return
    this.#last = formatMessage(response)
    this.#deps.send(this.#last, false)
    if (response.status < 200) return
    const { t1, give } = this.#deps.timers
    if (!this.#invite) {
      this.#state = 'completed'
      this.#finishAfter(give) // J
      return
    }
    this.#state = response.status < 300 ? 'accepted' : 'completed'
    this.#repeatAfter(t1) // G; for a 2xx RFC 3261 §13.3.1.4
    this.#finishAfter(give, true) // H or L
  }

  /** The ACK came. That to a 2xx is matched by its dialog. */
  acknowledged(): void {
    this.#retransmit?.cancel()
    if (this.#state === 'completed') {
      this.#state = 'confirmed'
      this.#finishAfter(this.#deps.timers.t4) // I
    } else if (this.#state === 'accepted') {
      this.onUnacknowledged = undefined
    }
  }

  end(): void {
    if (this.#state === 'terminated') return
    this.#state = 'terminated'
    this.#retransmit?.cancel()
    this.#limit?.cancel()
    this.#deps.ended()
  }

  #repeatAfter(ms: number): void {
    this.#retransmit = this.#deps.clock.after(ms, () => {
      this.#deps.send(this.#last!, true)
      this.#repeatAfter(Math.min(ms * 2, this.#deps.timers.t2))
    })
  }

  #finishAfter(ms: number, unacknowledged = false): void {
    this.#limit?.cancel()
    this.#limit = this.#deps.clock.after(ms, () => {
      this.end()
      if (unacknowledged) this.onUnacknowledged?.()
    })
  }
}
