import { isUnavailable } from '../errors.ts'
import type { Channel } from '../store/types.ts'
import type { DeliveryDeps } from './types.ts'

/** Owed work is also looked for without being woken: another node may have owed it, or a wake was lost. */
const LOOK_MS = 5000
/** Sooner after the database was away: what is owed has waited long enough. */
const AWAY_MS = 1000

type Hands = {
  take(channel: Channel): void
  /** Says that what runs here is alive, so that it is not taken for a dead node's. */
  extend(): Promise<boolean>
}

/**
 * Asks the store now and then, with one query, whether anything is owed or was left by a dead node; an idle node asks
 * nothing else.
 */
export function lookAround(deps: DeliveryDeps, hands: Hands): { stop(): Promise<void> } {
  const { clock, store, log, nodeId, leaseMs } = deps
  const lookMs = Math.min(LOOK_MS, leaseMs / 2)
  /**
   * At the start, and after the database was away, leases may be over whose holders live: they get the time to say so
   * before anybody ends their calls.
   */
  const graceMs = leaseMs / 3
  let recoverFrom = clock.monotonic() + graceMs
  let away = false
  let ended = false
  let looking: Promise<void> = Promise.resolve()
  let timer = clock.after(nearly(lookMs), again)

  async function look(): Promise<void> {
    const { owed, overdue } = await store.look(clock.now())
    if (away) {
      away = false
      recoverFrom = clock.monotonic() + graceMs
    }
    for (const channel of owed) hands.take(channel)
    if (!overdue || clock.monotonic() < recoverFrom || !(await hands.extend())) return
    const recovered = await store.recover({ nodeId, all: false, now: clock.now() })
    const [abandoned, requeued] = [recovered.abandoned.length, recovered.requeued]
    if (abandoned + requeued === 0) return // another node was faster
    log.warn({ abandoned, requeued }, 'a node went away: what it had begun is ended, the rest is owed again')
    if (requeued > 0) for (const channel of (await store.look(clock.now())).owed) hands.take(channel)
  }

  function again(): void {
    looking = look()
      .catch((error) => {
        if (!isUnavailable(error)) log.error({ err: error }, 'looking for owed deliveries failed')
        else if (!away) log.warn({ err: error }, 'the database is away: nothing new is begun until it is back')
        away ||= isUnavailable(error)
      })
      .then(() => {
        if (!ended) timer = clock.after(nearly(away ? Math.min(AWAY_MS, lookMs) : lookMs), again)
      })
  }

  /** Nodes that started together do not ask together for ever. */
  function nearly(ms: number): number {
    return ms * (0.8 + deps.random.int(400) / 1000)
  }

  return {
    /** Resolves when a look under way has ended. */
    async stop(): Promise<void> {
      ended = true
      timer.cancel()
      await looking
    },
  }
}
