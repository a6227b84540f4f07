import { closeSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { PincallError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { type Migration, migrations } from '../migrations/sqlite/index.ts'
import type { Numbers } from '../numbers.ts'
import { migrate, rewrite } from './migrate.ts'

export type Value = SQLInputValue

/** A statement that is compiled once and kept. `Row` is the reader's promise of what its SQL selects. */
export type Statement<Row> = {
  get(...values: Value[]): Row | undefined
  all(...values: Value[]): Row[]
  /** How many rows it changed. */
  run(...values: Value[]): number
}

export type Database = {
  prepare<Row = Record<string, never>>(sql: string): Statement<Row>
  exec(sql: string): void
  /** A function that SQL may call. */
  define(name: string, run: (...values: Value[]) => Value): void
  /** False after SQLite gave a transaction up by itself (disk full, I/O error). */
  readonly inTransaction: boolean
  close(): void
}

export type DatabaseOptions = {
  /** A file on a local disk, or `:memory:`. */
  path: string
  numbers: Numbers
  log: Log
  steps?: readonly Migration[]
}

/** Opens the file (mode 0600: it holds people's numbers), sets it up for durable group commits, brings its tables up to date. */
export function openDatabase({ path, numbers, log, steps = migrations }: DatabaseOptions): Database {
  const database = connect(path)
  try {
    migrate(database, { path, numbers, log, steps })
    rewrite(database, { path, log })
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function connect(path: string): Database {
  try {
    if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600)) // SQLite gives its -wal and -shm files the same mode
    const connection = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
    connection.exec(SETTINGS)
    return wrap(connection)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new PincallError('configuration', `The database ${path} can not be opened: ${reason}.`, { cause: error })
  }
}

/** Another process (a command of the CLI, a backup) may hold the write lock for a moment. */
const BUSY_TIMEOUT_MS = 2000

/** secure_delete: what is removed is overwritten, so that a person who was erased is not in the file's free pages. */
const SETTINGS = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA secure_delete = ON;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -32768;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA journal_size_limit = 67108864;
PRAGMA trusted_schema = OFF;
`

function wrap(connection: DatabaseSync): Database {
  return {
    prepare<Row>(sql: string): Statement<Row> {
      const statement = connection.prepare(sql)
      return {
        get: (...values) => statement.get(...values) as Row | undefined,
        all: (...values) => statement.all(...values) as Row[],
        run: (...values) => Number(statement.run(...values).changes),
      }
    },
    exec: (sql) => connection.exec(sql),
    define: (name, run) => connection.function(name, { varargs: true, deterministic: false }, run),
    get inTransaction() {
      return connection.isTransaction
    },
    close: () => connection.close(),
  }
}
