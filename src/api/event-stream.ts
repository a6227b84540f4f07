import type { Clock } from '../clock.ts'
import { isUnavailable } from '../errors.ts'
import type { Progress } from '../events/index.ts'
import { DISPOSITIONS, type Disposition, type StoredEvent } from '../store/types.ts'
import { spell, statusOfDelivery } from './call-status.ts'
import type { ApiDeps } from './types.ts'

/** A comment so often keeps proxies from closing a quiet stream, and the log is looked at for events of other nodes. */
const HEARTBEAT_MS = 15_000
/** When the log is asked for again after the database was away. */
const AWAY_MS = 1000
/** A reader that is so far behind is read to from the log again, and misses progress. */
const MOST_WAITING = 1000
const PAGE = 200

type Item = { event: StoredEvent } | { progress: Progress }

/**
 * The events of an account as server-sent events (WHATWG HTML §9.2): what is durable carries its number as id, so that a
 * reader continues where it was; progress has none, for it is kept nowhere. Ends when `end` is aborted.
 */
export async function* eventStream(
  { events, clock }: { events: ApiDeps['events']; clock: Clock },
  accountId: string,
  after: number | undefined,
  end: AbortSignal,
): AsyncGenerator<string> {
  const live = listen(events, accountId)
  const heartbeat = wakeEvery(clock, HEARTBEAT_MS, live.wake)
  end.addEventListener('abort', live.wake)
  try {
    let cursor = after ?? (await events.lastSeq(accountId))
    yield 'retry: 2000\n\n' // the headers leave with it: nothing that happens from now on is missed
    let behind = after !== undefined
    while (!end.aborted) {
      if (behind || live.overflowed()) {
        const page = await pageAfter(events, accountId, cursor)
        for (const event of page ?? []) {
          yield written(event)
          cursor = event.seq
        }
        behind = page === undefined || page.length === PAGE
        if (page === undefined) await clock.wait(AWAY_MS, end).catch(() => {})
        if (behind) continue
      }
      for (const item of live.take()) {
        if ('progress' in item) yield writtenProgress(item.progress)
        else if (item.event.seq === cursor + 1) {
          yield written(item.event)
          cursor = item.event.seq
        } else if (item.event.seq > cursor) behind = true // one before it has not come yet: the log has both
      }
      if (!behind && live.empty() && !end.aborted) await live.something()
      if (heartbeat.due()) {
        yield ': still here\n\n'
        behind = true
      }
    }
  } finally {
    live.stop()
    heartbeat.stop()
    end.removeEventListener('abort', live.wake)
  }
}

/** The next events of the log; undefined while the database is away. */
async function pageAfter(
  events: ApiDeps['events'],
  accountId: string,
  cursor: number,
): Promise<StoredEvent[] | undefined> {
  try {
    return await events.after(accountId, cursor, PAGE)
  } catch (error) {
    if (isUnavailable(error)) return undefined
    throw error
  }
}

/** What happens while the reader is busy waits here, in the order in which it happened. */
function listen(events: ApiDeps['events'], accountId: string) {
  let waiting: Item[] = []
  let overflow = false
  let wake = () => {}
  const add = (item: Item) => {
    if (waiting.length < MOST_WAITING) waiting.push(item)
    else {
      waiting = []
      overflow = true
    }
    wake()
  }
  const stopEvents = events.onEvent((event) => {
    if (event.accountId === accountId) add({ event })
  })
  const stopProgress = events.onProgress((progress) => {
    if (progress.accountId === accountId) add({ progress })
  })
  return {
    wake: () => wake(),
    empty: () => waiting.length === 0 && !overflow,
    /** Resolves when there is something to look at; one reader only. */
    something: () =>
      new Promise<void>((resolve) => {
        wake = resolve
      }),
    take() {
      const taken = waiting
      waiting = []
      return taken
    },
    overflowed() {
      const was = overflow
      overflow = false
      return was
    },
    stop() {
      stopEvents()
      stopProgress()
    },
  }
}

function wakeEvery(clock: Clock, ms: number, wake: () => void) {
  let due = false
  const ring = () => {
    due = true
    timer = clock.after(ms, ring)
    wake()
  }
  let timer = clock.after(ms, ring)
  return {
    due() {
      const was = due
      due = false
      return was
    },
    stop: () => timer.cancel(),
  }
}

const isDisposition = (value: unknown): value is Disposition => DISPOSITIONS.some((each) => each === value)

function written({ seq, kind, at, pinId, deliveryId, data }: StoredEvent): string {
  const { disposition, channel } = data
  const ofCall = channel === 'voice' && isDisposition(disposition)
  const status = ofCall ? statusOfDelivery({ disposition }) : undefined
  return message(
    kind,
    {
      seq,
      at,
      pinId,
      ...(deliveryId && { deliveryId }),
      ...data,
      ...(status && { callStatus: spell(status, 1), callStatusV2: spell(status, 2) }),
    },
    seq,
  )
}

function writtenProgress({ pinId, deliveryId, step, at }: Progress): string {
  return message('progress', { pinId, deliveryId, step, at })
}

/** JSON has no line breaks of its own, so a message is one `data` line. */
const message = (name: string, data: object, id?: number): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
