import type pg from 'pg'
import type { Clock } from '../../clock.ts'
import { PincallError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { type Hosts, isExhaustion, isSilence, type OfHost } from './connect.ts'
import { breaksConnection, meaningOf, unavailable } from './trouble.ts'

/** A statement with a name is parsed once per connection. */
export type Statement = { name: string; text: string }

export type Database = {
  /** One statement, read or written, in a transaction of its own. Never sent twice. */
  once<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]>
  /** A statement that can be repeated without harm: it is, until it is answered or the database stayed away too long. */
  query<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]>
  /**
   * Something that must happen once: `run` is called until it succeeds, with `again` where an earlier call may have been
   * committed without our being told; `run` then finds out by reading, or writes so that a second time changes nothing.
   */
  write<T>(run: (again: boolean) => Promise<T>): Promise<T>
  /** Since when nothing was answered, as a sentence; undefined while all is well. */
  trouble(): string | undefined
  close(): Promise<void>
}

/** An operation is tried for so long; a request waits for it. */
const TRY_MS = 6000
/** Once the database has been away for longer than that, each operation asks only for so long: waiting rooms fill up. */
const TRY_WHILE_DOWN_MS = 1000
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 500

export function openDatabase(pool: pg.Pool, hosts: Hosts, clock: Clock, log: Log): Database {
  let downSince: number | undefined
  let closed = false

  async function once<Row>({ name, text }: Statement, values: readonly unknown[]): Promise<Row[]> {
    if (closed) throw new PincallError('unavailable', 'The store is closed.')
    const client = await connect()
    let broken: Error | boolean = false
    try {
      const { rows } = await client.query({ name, text, values: values as unknown[] })
      up()
      return rows
    } catch (error) {
      const meaning = meaningOf(error)
      if (breaksConnection(meaning, error)) broken = true
      if (isSilence(error)) hosts.leave(client.url)
      throw error
    } finally {
      client.release(broken)
    }
  }

  /** A connection to the host that is the one now: those to a host that was left may hang, and are not waited for. */
  async function connect(): Promise<pg.PoolClient & OfHost> {
    for (;;) {
      const { url } = hosts
      const client = await (pool.connect() as Promise<pg.PoolClient & OfHost>).catch((error) => {
        if (!isExhaustion(error)) hosts.leave(url)
        throw error
      })
      if (client.url === hosts.url) return client
      client.release(true)
    }
  }

  function up(): void {
    if (downSince === undefined) return
    log.info({ awayMs: Math.round(clock.monotonic() - downSince) }, 'the database answers again')
    downSince = undefined
  }

  function down(error: unknown): void {
    if (downSince !== undefined) return
    downSince = clock.monotonic()
    log.warn({ err: error }, 'the database does not answer: trying again')
  }

  async function write<T>(run: (again: boolean) => Promise<T>): Promise<T> {
    const begun = clock.monotonic()
    const wasDown = downSince !== undefined && begun - downSince > TRY_MS
    const until = begun + (wasDown ? TRY_WHILE_DOWN_MS : TRY_MS)
    let again = false
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        return await run(again)
      } catch (error) {
        const meaning = meaningOf(error)
        if (meaning === 'fault') throw refused(error)
        const locked = (error as { code?: unknown }).code
        if (locked !== '40001' && locked !== '40P01') down(error)
        again ||= meaning === 'unknown'
        if (meaning === 'down' || clock.monotonic() + pauseMs > until || closed) throw unavailable(error, again)
      }
      await clock.wait(pauseMs)
    }
  }

  return {
    once,
    query: (statement, values) => write(() => once(statement, values)),
    write,
    trouble: () => (downSince === undefined ? undefined : 'the database does not answer'),
    async close() {
      closed = true
      await pool.end()
    },
  }
}

/** Text that PostgreSQL can not keep (NUL, half a surrogate pair) is the request's mistake, not ours. */
function refused(error: unknown): unknown {
  const code = (error as { code?: unknown })?.code
  if (code === '22021' || code === '22P05') {
    return new PincallError(
      'invalid',
      'The request holds a character that can not be kept (such as U+0000): leave it out.',
      {
        cause: error,
      },
    )
  }
  return error
}
