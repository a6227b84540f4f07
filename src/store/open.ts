import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Numbers } from './numbers.ts'
import { openPostgresStore } from './postgres/open.ts'
import { openSqliteStore } from './sqlite/open.ts'
import type { Store } from './types.ts'

export type StoreOptions = {
  /** PostgreSQL where it is given; else SQLite in the data directory. */
  databaseUrl?: string
  dataDir: string
  /** Connections to PostgreSQL at most. */
  poolSize?: number
  numbers: Numbers
  clock: Clock
  log: Log
}

/** Opens the store that the settings name. Rejects with a sentence that says what to change where it can not be used. */
export function openStore({ databaseUrl, dataDir, poolSize, ...common }: StoreOptions): Promise<Store> {
  return databaseUrl
    ? openPostgresStore({ url: databaseUrl, ...(poolSize && { poolSize }), ...common })
    : openSqliteStore({ path: join(dataDir, 'pincall.db'), ...common })
}
