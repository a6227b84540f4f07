import { closeSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { PincallError } from '../../errors.ts'
import { type Migration, migrations } from '../migrations/sqlite/index.ts'

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
  /** False after SQLite gave a transaction up by itself (disk full, I/O error). */
  readonly inTransaction: boolean
  close(): void
}

/** Opens the file (mode 0600: it holds people's numbers), sets it up for durable group commits, brings its tables up to date. */
export function openDatabase(path: string, steps: readonly Migration[] = migrations): Database {
  const database = connect(path)
  try {
    migrate(database, path, steps)
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

const SETTINGS = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
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
    get inTransaction() {
      return connection.isTransaction
    },
    close: () => connection.close(),
  }
}

function migrate(database: Database, path: string, steps: readonly Migration[]): void {
  database.exec('BEGIN IMMEDIATE') // two programs that start together: the second waits, then finds the work done
  try {
    database.exec(
      'CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL) STRICT',
    )
    const found = database.prepare<{ version: number }>(
      'SELECT coalesce(max(version), 0) AS version FROM schema_version',
    )
    const version = found.get()?.version ?? 0
    const newest = steps.at(-1)?.version ?? 0
    if (version > newest) throw tooNew(path, version, newest)
    const done = database.prepare('INSERT INTO schema_version (version, name) VALUES (?, ?)')
    for (const step of steps.filter((each) => each.version > version)) {
      database.exec(step.sql)
      done.run(step.version, step.name)
    }
    database.exec('COMMIT')
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK')
    throw error
  }
}

const tooNew = (path: string, version: number, newest: number) =>
  new PincallError(
    'configuration',
    `The database ${path} has schema version ${version}, this program knows versions up to ${newest}: ` +
      'upgrade Pincall to the version that wrote it (the database is not changed).',
  )
