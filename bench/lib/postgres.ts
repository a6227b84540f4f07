import pg from 'pg'
import { startPostgres as startServer } from '../../test/testbed/postgres.ts'
import { childrenOf, familyCpuMs, LOAD_CORE, stayOn } from './processes.ts'

/** A PostgreSQL of the benchmark's own, on a core of its own, and what it costs. */
export type BenchedPostgres = {
  url: string
  /** CPU of all its processes so far. */
  cpuMs(): number
  /** Bytes of write-ahead log so far. */
  walBytes(): Promise<number>
  query<Row>(text: string, values?: unknown[]): Promise<Row[]>
  /** Statistics as they are, and nothing left to write: where a measurement begins. */
  settle(url?: string): Promise<void>
  close(): Promise<void>
}

/** Durable, as it ships; what is set is memory, and room for log, as for a machine that is there for it. */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '2GB',
  max_wal_size: '8GB',
  checkpoint_timeout: '15min',
  track_io_timing: 'off',
}

export const POSTGRES_NOTE =
  'PostgreSQL 18, fsync and synchronous_commit on, shared_buffers 2 GB, on the other core; ext4'

export async function startPostgres(settings: Record<string, string> = {}): Promise<BenchedPostgres> {
  const server = await startServer({ settings: { ...SETTINGS, ...settings } })
  const pid = server.pid()!
  for (const each of [pid, ...childrenOf(pid)]) stayOn(LOAD_CORE, each)
  const client = new pg.Client({ connectionString: server.url })
  client.on('error', () => {}) // told by the query
  await client.connect()
  const query = async <Row>(text: string, values: unknown[] = []) => (await client.query(text, values)).rows as Row[]
  return {
    url: server.url,
    cpuMs: () => familyCpuMs(pid),
    async walBytes() {
      const [{ bytes }] = await query<{ bytes: string }>("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS bytes")
      return Number(bytes)
    },
    query,
    async settle(url = server.url) {
      const there = new pg.Client({ connectionString: url })
      await there.connect()
      await there.query('VACUUM ANALYZE')
      await there.query('CHECKPOINT')
      await there.end()
    },
    async close() {
      await client.end()
      await server[Symbol.asyncDispose]()
    },
  }
}
