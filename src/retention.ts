import type { Clock } from './clock.ts'
import { isUnavailable } from './errors.ts'
import type { Log } from './log.ts'
import type { Random } from './random.ts'
import type { Removed, Store } from './store/index.ts'

const DAY_MS = 86_400_000
/** Each round begins so long after the last one's end, more or less: nodes that started together do not tidy up together. */
const ROUND_MS = 5 * 60_000
/** A batch is small, and the pause after it as long as the batch took: whoever sends meanwhile has half of the database at least. */
const BATCH = 200
const LEAST_PAUSE_MS = 20

export type RetentionDeps = {
  clock: Clock
  random: Random
  log: Log
  store: Pick<Store, 'listAccounts' | 'prune' | 'sweep'>
  /** Days; 0 for ever. */
  retention: { days: number; accounts: Readonly<Record<string, number>> }
  observe(removed: Removed): void
}

/** Now and then removes what is over: ended windows and sessions, and PINs, calls and events past their account's days. */
export function keepTidy(deps: RetentionDeps): { close(): Promise<void> } {
  const { clock, log } = deps
  const end = new AbortController()
  let round: Promise<void> = Promise.resolve()
  let timer = clock.after(ROUND_MS * chance(), begin)

  function begin(): void {
    round = tidy(deps, end.signal)
      .catch((error) => {
        if (isUnavailable(error)) log.warn({ err: error }, 'old records are removed another time: the database is away')
        else log.error({ err: error }, 'old records could not be removed')
      })
      .then(() => {
        if (!end.signal.aborted) timer = clock.after(ROUND_MS * (0.8 + 0.4 * chance()), begin)
      })
  }

  function chance(): number {
    return deps.random.int(1000) / 1000
  }

  return {
    async close() {
      end.abort()
      timer.cancel()
      await round
    },
  }
}

async function tidy(deps: RetentionDeps, end: AbortSignal): Promise<void> {
  const { store, clock, log, retention } = deps
  await store.sweep(clock.now())
  const total: Removed = { pins: 0, deliveries: 0, attempts: 0, events: 0 }
  try {
    for (const { accountId } of await store.listAccounts()) {
      const days = retention.accounts[accountId] ?? retention.days
      if (days > 0) await prune(deps, accountId, clock.now() - days * DAY_MS, total, end)
    }
  } finally {
    if (sum(total) > 0) log.info(total, 'what is past its days was removed')
  }
}

async function prune(
  { store, clock, observe }: RetentionDeps,
  accountId: string,
  before: number,
  total: Removed,
  end: AbortSignal,
): Promise<void> {
  while (!end.aborted) {
    const begun = clock.monotonic()
    const removed = await store.prune({ accountId, before, most: BATCH })
    if (sum(removed) === 0) return
    observe(removed)
    for (const kind of KINDS) total[kind] += removed[kind]
    await clock.wait(Math.max(LEAST_PAUSE_MS, clock.monotonic() - begun), end).catch(() => {})
  }
}

const KINDS = ['pins', 'deliveries', 'attempts', 'events'] as const
const sum = (removed: Removed): number => KINDS.reduce((so, kind) => so + removed[kind], 0)
