import { PincallError } from '../../errors.ts'
import { migrations } from '../migrations/postgres/index.ts'
import { type Connection, Hosts, shownUrl } from '../postgres/connect.ts'
import { versionOf } from '../postgres/migrate.ts'
import { meaningOf } from '../postgres/trouble.ts'
import { assertSchema, notEmpty, unkeepable } from './refusals.ts'
import { COUNTED_UP, namesOf, type Row, rowOf, TABLES, type Table } from './tables.ts'
import { ROWS_PER_PAGE, type Source, type Target } from './types.ts'

const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ')

/** One moment of a database, whatever its nodes do meanwhile. */
export async function openPostgresSource(url: string): Promise<Source> {
  const client = await connect(url, 'pincall export')
  try {
    if (!(await hasTables(client))) {
      throw new PincallError(
        'invalid',
        `The database ${shownUrl(url)} has nothing of Pincall in it: set PINCALL_DATABASE_URL.`,
      )
    }
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    await client.query(PATIENCE)
    const version = await versionOf(client) // the snapshot begins here
    assertSchema(shownUrl(url), version, migrations.at(-1)?.version ?? 0)
    return {
      schema: { engine: 'postgres', version },
      rows: (table) => pages(client, url, table),
      close: () => client.end(),
    }
  } catch (error) {
    await client.end()
    throw reasoned(error, url)
  }
}

/** Refuses an installation's own database before anything touches it. */
export async function assertPostgresEmpty(url: string): Promise<void> {
  const client = await connect(url, 'pincall import')
  try {
    if (await hasTables(client)) await assertEmpty(client, url)
  } catch (error) {
    throw reasoned(error, url)
  } finally {
    await client.end()
  }
}

/** A database with our tables and nothing in them. Its other writers wait, or give up, until this one is closed. */
export async function openPostgresTarget(url: string): Promise<Target> {
  const client = await connect(url, 'pincall import')
  try {
    await client.query('BEGIN')
    await client.query(PATIENCE)
    await client.query(`LOCK TABLE ${quoted(TABLES.map(({ name }) => name))} IN EXCLUSIVE MODE`)
    await assertEmpty(client, url)
  } catch (error) {
    await client.end()
    throw reasoned(error, url)
  }
  return {
    async insert(table, rows) {
      try {
        await client.query(insertOf(table), [JSON.stringify(rows)])
      } catch (error) {
        throw reasoned(unkeepable(table, error), url)
      }
    },
    rows: (table) => pages(client, url, table),
    commit: () => commit(client, url),
    close: () => client.end(), // the server undoes what was not committed
  }
}

/** A statement here may take as long as it needs; a lock that others hold is another matter. */
const PATIENCE = `SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
  SET LOCAL lock_timeout = '10s'`

async function connect(url: string, name: string): Promise<Connection> {
  const hosts = new Hosts(url)
  for (let tries = 1; ; tries++) {
    try {
      return await hosts.connect(name, { statementMs: 0, answerMs: 0 })
    } catch (error) {
      if (tries < hosts.count) continue
      const { message, code } = error as { message?: string; code?: string }
      throw new PincallError(
        'unavailable',
        `The database ${shownUrl(url)} can not be reached (${message || code}): start it, or set PINCALL_DATABASE_URL.`,
        { cause: error },
      )
    }
  }
}

// by the tables themselves: that of their version is there before them
async function hasTables(client: Connection): Promise<boolean> {
  const { rows } = await client.query("SELECT to_regclass('accounts') IS NOT NULL AS there")
  return rows[0].there
}

async function assertEmpty(client: Connection, url: string): Promise<void> {
  for (const table of TABLES) {
    const { rows } = await client.query(`SELECT 1 FROM "${table.name}" LIMIT 1`)
    if (rows.length > 0) throw notEmpty(`The database ${shownUrl(url)}`, table)
  }
}

function insertOf(table: Table): string {
  const types = Object.entries(table.columns).map(
    ([name, type]) => `"${name}" ${type.startsWith('text') ? 'text' : 'bigint'}`,
  )
  const names = quoted(namesOf(table))
  return `INSERT INTO "${table.name}" (${names}) SELECT ${names} FROM json_to_recordset($1) AS row(${types.join(', ')})`
}

/** By a cursor, so that neither side holds a table in memory; texts in the order of their bytes, as SQLite has them. */
async function* pages(client: Connection, url: string, table: Table): AsyncGenerator<Row[]> {
  const order = table.key.map((name) => (table.columns[name] === 'text' ? `"${name}" COLLATE "C"` : `"${name}"`))
  try {
    await client.query(
      `DECLARE page NO SCROLL CURSOR FOR SELECT ${quoted(namesOf(table))} FROM "${table.name}" ORDER BY ${order.join(', ')}`,
    )
    for (;;) {
      const { rows } = await client.query(`FETCH ${ROWS_PER_PAGE} FROM page`)
      if (rows.length === 0) break
      yield rows.map((row) => rowOf(table, row))
    }
    await client.query('CLOSE page')
  } catch (error) {
    throw reasoned(error, url)
  }
}

async function commit(client: Connection, url: string): Promise<void> {
  try {
    for (const { table, column } of COUNTED_UP) {
      await client.query(`SELECT setval(pg_get_serial_sequence('${table}', '${column}'), max("${column}"))
        FROM "${table}" HAVING max("${column}") IS NOT NULL`)
    }
    await client.query(`ANALYZE ${quoted(TABLES.map(({ name }) => name))}`) // else the first questions are answered slowly
  } catch (error) {
    throw reasoned(error, url)
  }
  try {
    await client.query('COMMIT')
  } catch (error) {
    if (meaningOf(error) !== 'unknown') throw reasoned(error, url)
    throw new PincallError(
      'unavailable',
      `The database ${shownUrl(url)} went away at the last moment, and did not say whether the import is kept: run it again, it refuses where it is.`,
      { cause: error },
    )
  }
}

/** What is not our fault becomes a sentence. */
function reasoned(error: unknown, url: string): unknown {
  if (error instanceof PincallError) return error
  const { message, code } = error as { message?: string; code?: string }
  if (code === '55P03') {
    return new PincallError(
      'unavailable',
      `Others use the database ${shownUrl(url)}: stop the servers on it, then import again. Nothing was written.`,
      { cause: error },
    )
  }
  if (meaningOf(error) === 'fault') return error
  return new PincallError(
    'unavailable',
    `The database ${shownUrl(url)} gave up (${message}): nothing was written, try again.`,
    { cause: error },
  )
}
