import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { openPostgresStore, openSqliteStore, type Store, sealedNumbers } from '../../src/store/index.ts'
import { type BenchedPostgres, POSTGRES_NOTE, startPostgres } from './postgres.ts'

export const ENGINES = ['sqlite', 'postgres'] as const
export type EngineName = (typeof ENGINES)[number]

export const numbers = sealedNumbers([{ id: 'k1', key: Buffer.alloc(32, 7) }])
export const storeOptions = { log: silentLog, clock: systemClock, numbers }

/** A store on an engine, in a place of its own. */
export type Engine = {
  name: EngineName
  store: Store
  postgres?: BenchedPostgres
  /** The file, on SQLite. */
  path?: string
  note: string
  close(): Promise<void>
}

export async function openEngine(name: EngineName): Promise<Engine> {
  if (name === 'postgres') {
    const postgres = await startPostgres()
    const store = await openPostgresStore({ url: postgres.url, ...storeOptions })
    const close = () => store.close().then(postgres.close)
    return { name, store, postgres, note: POSTGRES_NOTE, close }
  }
  const directory = mkdtempSync(join(tmpdir(), 'pincall-bench-store-'))
  const path = join(directory, 'bench.db')
  const store = await openSqliteStore({ path, ...storeOptions })
  return {
    name,
    store,
    path,
    note: 'SQLite WAL FULL, ext4',
    async close() {
      await store.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
