import type { Timer } from '../clock.ts'
import type { Agent } from './agent.ts'
import type { SipResponse } from './message.ts'
import type { ServerTransaction } from './server-transaction.ts'

/** RFC 3261 §13.3.1.4: the 2xx to an INVITE is resent by the call, T1 doubling to T2, until its ACK comes. */
export class AnswerUntilAck {
  readonly #agent: Agent
  readonly #transaction: ServerTransaction
  readonly #response: SipResponse
  readonly #lossTimer: Timer
  #resendMs: number
  #resendTimer: Timer | undefined

  constructor(agent: Agent, transaction: ServerTransaction, response: SipResponse, onLost: () => void) {
    this.#agent = agent
    this.#transaction = transaction
    this.#response = response
    this.#resendMs = agent.times.t1
    transaction.send(response)
    this.#resendLater()
    this.#lossTimer = agent.clock.after(agent.times.t64, () => {
      this.stop()
      onLost()
    })
  }

  stop(): void {
    this.#resendTimer?.cancel()
    this.#lossTimer.cancel()
  }

  #resendLater(): void {
    this.#resendTimer = this.#agent.clock.after(this.#resendMs, () => {
      this.#agent.stats.retransmitted++
      this.#transaction.send(this.#response)
      this.#resendMs = Math.min(this.#resendMs * 2, this.#agent.times.t2)
      this.#resendLater()
    })
  }
}
