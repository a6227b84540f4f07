import pg from 'pg'
import { PincallError } from '../../errors.ts'
import type { Log } from '../../log.ts'

export type Connection = pg.Client

export type ConnectOptions = { url: string; poolSize?: number; log: Log }

/** A server that does not answer is given up after this: a dead machine refuses nothing, it only stays silent. */
const CONNECT_MS = 3000
/** The server gives a statement up after this, while it has changed nothing; waiting for a lock counts. */
const STATEMENT_MS = 5000
/** We give an answer up after this: the server, or the way to it, is gone without a word. */
const ANSWER_MS = 7500

/** int8 as a number: everything that is counted, priced or timed here is far below 2^53. */
const INT8 = 20

/**
 * One connection string per host of a URL that may name several, as libpq's does: `postgres://user:pw@db1:5432,db2/name`.
 * Throws `configuration` where it is no such URL; the sentence never holds the password.
 */
export function hostsOf(url: string): string[] {
  const [, head, hosts, tail = ''] =
    /^(postgres(?:ql)?:\/\/(?:[^@/]*@)?)([^/?]*)((?:\/[^?]*)?(?:\?.*)?)$/.exec(url) ?? []
  if (head === undefined) {
    throw new PincallError(
      'configuration',
      'PINCALL_DATABASE_URL wants postgres://user:password@host:5432/database, with several hosts joined by commas.',
    )
  }
  return hosts.split(',').map((host) => `${head}${host}${tail}`)
}

/** The URL as it may be shown: without its password. */
export const shownUrl = (url: string): string =>
  url.replace(/^([a-z]+:\/\/[^:@/]*):[^@/]*@/, '$1:…@').replace(/\?.*$/, '')

const common = (applicationName: string) => ({
  application_name: applicationName,
  connectionTimeoutMillis: CONNECT_MS,
  statement_timeout: STATEMENT_MS,
  query_timeout: ANSWER_MS,
  keepAlive: true,
  types: {
    getTypeParser: (oid: number, format?: string) =>
      oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
  } as pg.CustomTypesConfig,
})

/** A server that can not be written to now: a standby, or a primary that is being demoted. */
export class ReadOnlyServer extends Error {
  override readonly name = 'ReadOnlyServer'
}

/** What a pool's connection knows of where it leads. */
export type OfHost = { readonly url: string }

/** A server of which only silence came back: a new connection to it may well succeed, and be of no more use. */
export const isSilence = (error: unknown): boolean => error instanceof Error && /Query read timeout/.test(error.message)

/** All connections of the pool are in use: that says nothing of the host. */
export const isExhaustion = (error: unknown): boolean =>
  error instanceof Error && /timeout exceeded when trying to connect/.test(error.message)

/**
 * Connections to whichever of the hosts can be written to. A host that can not be connected to, that only reads or that is
 * silent is left for the next one; whoever asked tries again.
 */
export class Hosts {
  readonly #urls: string[]
  readonly #movers = new Set<() => void>()
  #current = 0

  constructor(url: string) {
    this.#urls = hostsOf(url)
  }

  get url(): string {
    return this.#urls[this.#current]
  }

  get count(): number {
    return this.#urls.length
  }

  /** The host that was tried is not the one: take the next, unless somebody did so already. */
  leave(url: string): void {
    if (url !== this.url || this.count === 1) return
    this.#current = (this.#current + 1) % this.count
    for (const moved of this.#movers) moved()
  }

  /** Called after each move to another host: a connection to a host that fell silent is of no use, and does not say so. */
  onMove(moved: () => void): void {
    this.#movers.add(moved)
  }

  /** A client of its own, outside the pool: for LISTEN, for migrations. Ends it where it can not be written to. */
  async connect(
    applicationName: string,
    options: { answerMs?: number; statementMs?: number } = {},
  ): Promise<Connection> {
    const { url } = this
    const client = new pg.Client({
      connectionString: url,
      ...common(applicationName),
      ...(options.statementMs !== undefined && { statement_timeout: options.statementMs }),
      ...(options.answerMs !== undefined && { query_timeout: options.answerMs }),
    })
    client.on('error', () => {}) // told to whoever waits for its answer, or by its end
    try {
      await client.connect()
      await assertWritable(client)
      return client
    } catch (error) {
      this.leave(url)
      client.end().catch(() => {})
      throw error
    }
  }

  pool(applicationName: string, { poolSize = 10, log }: Pick<ConnectOptions, 'poolSize' | 'log'>): pg.Pool {
    const hosts = this
    class HostClient extends pg.Client implements OfHost {
      readonly url: string
      constructor(config: pg.ClientConfig) {
        super({ ...config, connectionString: hosts.url })
        this.url = hosts.url
        this.on('error', () => {}) // told to whoever waits for its answer
      }
    }
    const config = {
      ...common(applicationName),
      max: poolSize,
      idleTimeoutMillis: 60_000,
      maxLifetimeSeconds: 3600,
      Client: HostClient,
      verify: (client: InstanceType<typeof HostClient>, done: (error?: Error) => void) => {
        assertWritable(client).then(
          () => done(),
          (error) => {
            hosts.leave(client.url)
            done(error)
          },
        )
      },
    }
    const pool = new pg.Pool(config as unknown as pg.PoolConfig)
    pool.on('error', (error) => log.debug({ err: error }, 'an idle connection to the database was lost'))
    return pool
  }
}

async function assertWritable(client: pg.Client): Promise<void> {
  const { rows } = await client.query(
    "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool AS fixed",
  )
  if (rows[0].fixed) throw new ReadOnlyServer('the server only reads')
}
