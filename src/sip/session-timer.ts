import type { Clock, Timer } from '../clock.ts'
import { sessionExpiresOf } from './headers.ts'
import type { Headers } from './message.ts'

/** RFC 4028: a call whose ends no longer hear each other ends. Who refreshes is agreed with each refresh. */
export const MIN_SE_S = 90
const LONGEST_MS = 2 ** 31 - 1

export class SessionTimer {
  readonly #clock: Clock
  readonly #duties: { refresh(seconds: number): void; expire(): void }
  #refreshTimer: Timer | undefined
  #expireTimer: Timer | undefined

  constructor(clock: Clock, duties: { refresh(seconds: number): void; expire(): void }) {
    this.#clock = clock
    this.#duties = duties
  }

  /** The far end answered our INVITE or our refresh: we are the UAC of RFC 4028. */
  onAnswer(headers: Headers): void {
    const agreed = sessionExpiresOf(headers)
    if (agreed && agreed.seconds > 0) this.#run(agreed.seconds, agreed.refresher === 'uac')
    else this.stop()
  }

  /** The far end asks, by INVITE or UPDATE: takes its wish, and returns what our 2xx says of it (§9). */
  onRequest(headers: Headers): [name: string, value: string][] {
    const wish = sessionExpiresOf(headers)
    if (!wish || wish.seconds < 1) {
      this.stop()
      return []
    }
    const refresher = wish.refresher ?? (headers.lists('supported', 'timer') ? 'uac' : 'uas')
    this.#run(wish.seconds, refresher === 'uas')
    const value: [string, string][] = [['session-expires', `${wish.seconds};refresher=${refresher}`]]
    return refresher === 'uac' ? [['require', 'timer'], ...value] : value
  }

  /** §10: the refresher acts at half the interval; the other end gives up a little before its end. */
  #run(seconds: number, ours: boolean): void {
    this.stop()
    const expireMs = Math.min((seconds - Math.min(32, seconds / 3)) * 1000, LONGEST_MS)
    this.#expireTimer = this.#clock.after(expireMs, () => this.#duties.expire())
    if (ours) {
      const refreshMs = Math.min(seconds * 500, LONGEST_MS)
      this.#refreshTimer = this.#clock.after(refreshMs, () => this.#duties.refresh(seconds))
    }
  }

  stop(): void {
    this.#refreshTimer?.cancel()
    this.#expireTimer?.cancel()
  }
}
