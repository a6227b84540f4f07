import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { PincallError } from '../../errors.ts'
import { migrations } from '../migrations/sqlite/index.ts'
import { assertSchema, notEmpty, unkeepable } from './refusals.ts'
import { namesOf, type Row, rowOf, TABLES, type Table } from './tables.ts'
import { ROWS_PER_PAGE, type Source, type Target } from './types.ts'

const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ')

/**
 * One moment of a database file, read on a connection of its own: a server may go on writing meanwhile. The file is not
 * brought up to date, for a server that has it open may be an older one.
 */
export function openSqliteSource(path: string): Source {
  const { database, version } = openSnapshot(path)
  return {
    schema: { engine: 'sqlite', version },
    rows: (table) => pages(database, table),
    close: async () => database.close(),
  }
}

/** A connection that sees one moment of the file as long as it is open. */
export function openSnapshot(path: string): { database: DatabaseSync; version: number } {
  if (!existsSync(path)) {
    throw new PincallError(
      'invalid',
      `There is no database ${path}: set PINCALL_DATA_DIR to the directory that has it.`,
    )
  }
  const database = opened(path, { readOnly: true })
  try {
    database.exec('BEGIN')
    const version = Number(asked(path, database, 'SELECT max(version) AS version FROM schema_version').version)
    assertSchema(path, version, migrations.at(-1)?.version ?? 0)
    return { database, version }
  } catch (error) {
    database.close()
    throw error
  }
}

/** Refuses an installation's own file before anything touches it. */
export function assertSqliteEmpty(path: string): void {
  if (!existsSync(path)) return
  const database = opened(path, { readOnly: true })
  try {
    const { tables } = asked(path, database, "SELECT count(*) AS tables FROM sqlite_schema WHERE name = 'accounts'")
    if (tables !== 0) assertTableEmpty(database, path, TABLES[0])
  } finally {
    database.close()
  }
}

/** A file with our tables and nothing in them. Other writers wait, or give up, until this one is closed. */
export function openSqliteTarget(path: string): Target {
  const database = opened(path, { readOnly: false })
  try {
    database.exec('PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; BEGIN IMMEDIATE')
    for (const table of TABLES) assertTableEmpty(database, path, table)
  } catch (error) {
    database.close()
    throw reasoned(error, path)
  }
  return {
    async insert(table, rows) {
      const names = namesOf(table)
      const marks = names.map(() => '?').join(', ')
      const insert = database.prepare(`INSERT INTO "${table.name}" (${quoted(names)}) VALUES (${marks})`)
      try {
        for (const row of rows) insert.run(...names.map((name) => row[name]))
      } catch (error) {
        throw reasoned(unkeepable(table, error), path)
      }
    },
    rows: (table) => pages(database, table),
    async commit() {
      try {
        database.exec('COMMIT') // what counts up goes on behind the newest row by itself
      } catch (error) {
        throw reasoned(error, path)
      }
    },
    close: async () => database.close(), // SQLite undoes what was not committed
  }
}

const opened = (path: string, options: { readOnly: boolean }) =>
  new DatabaseSync(path, { ...options, timeout: 5000, enableForeignKeyConstraints: true })

function asked(path: string, database: DatabaseSync, sql: string): Record<string, unknown> {
  try {
    return database.prepare(sql).get() ?? {}
  } catch (error) {
    throw new PincallError('invalid', `${path} can not be read as Pincall's: ${(error as Error).message}.`, {
      cause: error,
    })
  }
}

function assertTableEmpty(database: DatabaseSync, path: string, table: Table): void {
  if (database.prepare(`SELECT 1 FROM "${table.name}" LIMIT 1`).get()) throw notEmpty(`The database ${path}`, table)
}

async function* pages(database: DatabaseSync, table: Table): AsyncGenerator<Row[]> {
  let page: Row[] = []
  const found = database.prepare(`SELECT ${quoted(namesOf(table))} FROM "${table.name}" ORDER BY ${quoted(table.key)}`)
  for (const raw of found.iterate()) {
    page.push(rowOf(table, raw))
    if (page.length < ROWS_PER_PAGE) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}

/** BUSY, FULL, IOERR, READONLY: not our fault. */
const OUTAGES = new Set([5, 8, 10, 13])

function reasoned(error: unknown, path: string): unknown {
  const { message, errcode } = error as { message?: string; errcode?: number }
  if (errcode === undefined || !OUTAGES.has(errcode & 0xff)) return error
  return new PincallError(
    'unavailable',
    `The database ${path} can not be written (${message}): nothing was written. Stop the server on it and see that the disk has room.`,
    { cause: error },
  )
}
