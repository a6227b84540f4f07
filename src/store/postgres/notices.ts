import type pg from 'pg'
import type { Clock, Timer } from '../../clock.ts'
import type { Log } from '../../log.ts'
import { CHANNELS, type Channel, type StoredEvent } from '../types.ts'
import type { Hosts } from './connect.ts'
import type { Database } from './database.ts'

/** Told together: many events of one moment are one notice. */
const GATHER_MS = 15
/** PostgreSQL takes up to 8000 bytes a notice; what does not fit is left out, and found by whoever looks. */
const MOST_BYTES = 7900
const LONGEST_PAUSE_MS = 10_000
const TOPIC = 'pincall'

export type Notices = {
  tellEvent(event: StoredEvent): void
  askForHelp(channel: Channel): void
  close(): Promise<void>
}

/**
 * Wakes other nodes by LISTEN and NOTIFY. Nothing relies on it: a notice that is lost, for there is no connection or a pooler
 * between, costs the time until somebody looks.
 */
export function openNotices(options: {
  hosts: Hosts
  database: Database
  clock: Clock
  log: Log
  /** By which a node knows its own notices. */
  id: string
  onEvent(event: StoredEvent): void
  onHelpAsked(channel: Channel): void
}): Notices {
  const { hosts, database, clock, log, id, onEvent, onHelpAsked } = options
  const notify = { name: 'notify', text: `SELECT pg_notify('${TOPIC}', $1)` }
  let events: StoredEvent[] = []
  let help = new Set<Channel>()
  let gathering: Timer | undefined
  let listening: pg.Client | undefined
  let heardFrom: string | undefined
  let retry: Timer | undefined
  let closed = false

  function gather(): void {
    gathering ??= clock.after(GATHER_MS, () => {
      gathering = undefined
      if (closed) return
      const notice = writeNotice(id, events, help)
      events = []
      help = new Set()
      database
        .once(notify, [notice])
        .catch((error) => log.debug({ err: error }, 'a notice to other nodes was not sent'))
    })
  }

  async function listen(pauseMs: number): Promise<void> {
    if (closed) return
    try {
      const { url } = hosts
      const client = await hosts.connect('pincall notices')
      if (closed || url !== hosts.url) {
        client.end().catch(() => {})
        return listenLater(pauseMs)
      }
      listening = client
      heardFrom = url
      client.on('notification', ({ payload }) => hear(payload ?? ''))
      client.on('error', () => lost(client))
      client.on('end', () => lost(client))
      await client.query(`LISTEN ${TOPIC}`)
    } catch (error) {
      log.debug({ err: error }, 'notices of other nodes can not be heard: trying again')
      listening = undefined
      listenLater(Math.min(pauseMs * 2, LONGEST_PAUSE_MS))
    }
  }

  function lost(client: pg.Client): void {
    if (listening !== client) return
    listening = undefined
    client.end().catch(() => {})
    listenLater(100)
  }

  function listenLater(pauseMs: number): void {
    if (closed || retry) return
    retry = clock.after(pauseMs, () => {
      retry = undefined
      void listen(pauseMs)
    })
  }

  function hear(payload: string): void {
    const notice = readNotice(payload)
    if (!notice || notice.from === id) return
    for (const event of notice.events) onEvent(event)
    for (const channel of notice.help) onHelpAsked(channel)
  }

  hosts.onMove(() => {
    if (listening && heardFrom !== hosts.url) lost(listening)
  })
  void listen(100)
  return {
    tellEvent(event) {
      events.push(event)
      gather()
    },
    askForHelp(channel) {
      help.add(channel)
      gather()
    },
    async close() {
      closed = true
      gathering?.cancel()
      retry?.cancel()
      const client = listening
      listening = undefined
      await client?.end().catch(() => {})
    },
  }
}

type Notice = { from: string; events: StoredEvent[]; help: Channel[] }

/** Calls first: somebody waits for how they end. */
function writeNotice(from: string, events: readonly StoredEvent[], help: ReadonlySet<Channel>): string {
  const byWaiting = events.toSorted((a, b) => Number(b.data.channel === 'voice') - Number(a.data.channel === 'voice'))
  const kept: string[] = []
  let bytes = 200
  for (const event of byWaiting) {
    const text = JSON.stringify(event)
    bytes += Buffer.byteLength(text) + 1
    if (bytes > MOST_BYTES) break
    kept.push(text)
  }
  return `{"from":${JSON.stringify(from)},"help":${JSON.stringify([...help])},"events":[${kept.join(',')}]}`
}

/** Anybody who may connect to the database can send anything. */
function readNotice(payload: string): Notice | undefined {
  try {
    const { from, events, help } = JSON.parse(payload)
    if (typeof from !== 'string' || !Array.isArray(events) || !Array.isArray(help)) return undefined
    return {
      from,
      events: events.filter((event) => typeof event?.seq === 'number' && typeof event.accountId === 'string'),
      help: CHANNELS.filter((channel) => help.includes(channel)),
    }
  } catch {
    return undefined
  }
}
