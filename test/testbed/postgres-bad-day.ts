import { after, before } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { silentLog } from '../../src/log.ts'
import { openPostgresStore, type Store } from '../../src/store/index.ts'
import { makeWorld, TEST_NUMBERS, type World } from '../store/world.ts'
import type { TestDatabases } from './postgres.ts'
import { openPostgresProxy, type PostgresProxy } from './postgres-proxy.ts'

/** A store behind a way that can fail, and the database behind it, reached directly. */
export type BadDay = { store: Store; world: World; proxy: PostgresProxy; databases: TestDatabases; url: string }

export type BadDayOptions = { poolSize?: number; statementMs?: number; answerMs?: number; databases: TestDatabases }

/** Pincall's own times are seconds; shorter ones can be said in the URL. */
function withTimes(url: string, { statementMs, answerMs }: Omit<BadDayOptions, 'databases'>): string {
  const { href, searchParams } = new URL(url)
  if (statementMs) searchParams.set('statement_timeout', String(statementMs))
  if (answerMs) searchParams.set('query_timeout', String(answerMs))
  return searchParams.size ? `${href}?${searchParams}` : href
}

export async function openBadDay(
  options: BadDayOptions & { databases: TestDatabases },
): Promise<BadDay & AsyncDisposable> {
  const { databases, poolSize } = options
  const url = await databases.freshDatabase()
  const proxy = await openPostgresProxy(url)
  const through = withTimes(proxy.url, options)
  const store = await openPostgresStore({
    url: through,
    log: silentLog,
    numbers: TEST_NUMBERS,
    ...(poolSize && { poolSize }),
  })
  const world = await makeWorld(store)
  return {
    store,
    world,
    proxy,
    databases,
    url,
    async [Symbol.asyncDispose]() {
      await proxy.heal()
      await store.close()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

/** One for all tests of a `describe`. */
export function badDay(options: BadDayOptions): () => BadDay {
  let day: (BadDay & AsyncDisposable) | undefined
  before(async () => {
    day = await openBadDay(options)
  })
  after(() => day?.[Symbol.asyncDispose]())
  return () => {
    if (!day) throw new Error('the day has not begun')
    return day
  }
}

/** A session of somebody else, who may hold what others want. */
export async function otherSession(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}

/** Resolves once so many sessions of the database wait for a lock. */
export async function waitingForLocks(databases: TestDatabases, url: string, count: number): Promise<void> {
  const sql = `SELECT count(*)::int AS waiting FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`
  for (;;) {
    const [{ waiting }] = await databases.query(sql, [], url)
    if (Number(waiting) >= count) return
    await wait(10)
  }
}
