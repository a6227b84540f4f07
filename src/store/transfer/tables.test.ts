import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { NUMBERS } from '../../../test/testbed/full-installation.ts'
import { type TestDatabases, testDatabases } from '../../../test/testbed/postgres.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import { openStore } from '../open.ts'
import { COUNTED_UP, LEFT_BEHIND, rowOf, TABLES } from './tables.ts'

const folder = await mkdtemp(join(tmpdir(), 'pincall-tables-'))
let databases: TestDatabases | undefined
after(async () => {
  await rm(folder, { recursive: true, force: true })
  await databases?.[Symbol.asyncDispose]()
})

const common = { dataDir: folder, numbers: NUMBERS, clock: systemClock, log: silentLog }

/** `table.column` → its type as an export names it, and `table` → its primary key. */
type Schema = { columns: Record<string, string>; keys: Record<string, string[]> }

const listed: Schema = {
  columns: Object.fromEntries(
    TABLES.flatMap(({ name, columns }) => Object.entries(columns).map(([column, type]) => [`${name}.${column}`, type])),
  ),
  keys: Object.fromEntries(TABLES.map(({ name, key }) => [name, [...key]])),
}

/** What stays behind is taken out; what is taken out must have been there on one engine at least. */
function withoutLeftBehind({ columns, keys = {} }: Partial<Schema>): Schema {
  const stays = (name: string) => name in LEFT_BEHIND || name.split('.')[0] in LEFT_BEHIND
  return {
    columns: Object.fromEntries(Object.entries(columns ?? {}).filter(([name]) => !stays(name))),
    keys: Object.fromEntries(Object.entries(keys).filter(([name]) => !stays(name))),
  }
}

async function sqliteSchema(): Promise<Schema> {
  await (await openStore(common)).close()
  const database = new DatabaseSync(join(folder, 'pincall.db'), { readOnly: true })
  const schema: Schema = { columns: {}, keys: {} }
  for (const { name } of database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()) {
    if (String(name).startsWith('sqlite_')) continue
    const columns = database.prepare('SELECT name, type, "notnull", pk FROM pragma_table_info(?)').all(name)
    for (const { name: column, type, notnull } of columns) {
      schema.columns[`${name}.${column}`] = `${String(type).toLowerCase()}${notnull ? '' : '?'}`
    }
    const keyed = columns.filter(({ pk }) => Number(pk) > 0).sort((a, b) => Number(a.pk) - Number(b.pk))
    if (keyed.length > 0) schema.keys[String(name)] = keyed.map((column) => String(column.name))
  }
  database.close()
  return schema
}

/** Its primary keys are its own affair: rows are sorted by ours. */
async function postgresSchema(): Promise<Pick<Schema, 'columns'> & { counted: string[] }> {
  databases = await testDatabases()
  const url = await databases.freshDatabase()
  await (await openStore({ ...common, databaseUrl: url })).close()
  const TYPES: Record<string, string> = { text: 'text', bigint: 'integer', integer: 'integer', smallint: 'integer' }
  const columns = await databases.query(
    "SELECT * FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
    [],
    url,
  )
  const schema: Pick<Schema, 'columns'> = { columns: {} }
  for (const { table_name: table, column_name: column, data_type: type, is_nullable: nullable } of columns) {
    schema.columns[`${table}.${column}`] = `${TYPES[String(type)] ?? type}${nullable === 'YES' ? '?' : ''}`
  }
  const counted = columns
    .filter(({ is_identity: identity, column_default: preset }) => identity === 'YES' || /nextval/.test(String(preset)))
    .map(({ table_name: table, column_name: column }) => `${table}.${column}`)
  return { ...schema, counted }
}

test('an export carries every column of every table of both engines, but for those that are left behind on purpose', async () => {
  const sqlite = await sqliteSchema()
  assert.deepEqual(withoutLeftBehind(sqlite), listed)
  const { counted, ...postgres } = await postgresSchema()
  assert.deepEqual(withoutLeftBehind(postgres).columns, listed.columns)
  assert.deepEqual(
    counted.sort(),
    COUNTED_UP.map(({ table, column }) => `${table}.${column}`).sort(),
    'whatever PostgreSQL counts up must go on behind the newest row',
  )
  const names = new Set([sqlite, postgres].flatMap(({ columns }) => Object.keys(columns)))
  const tables = new Set([...names].map((name) => name.split('.')[0]))
  for (const name of Object.keys(LEFT_BEHIND)) assert.ok(names.has(name) || tables.has(name), `there is no ${name}`)
})

test('tables come in an order in which every row finds what it refers to', () => {
  const database = new DatabaseSync(join(folder, 'pincall.db'), { readOnly: true })
  const names = TABLES.map(({ name }) => name)
  let references = 0
  for (const [i, name] of names.entries()) {
    for (const { table } of database.prepare('SELECT "table" FROM pragma_foreign_key_list(?)').all(name)) {
      assert.ok(names.indexOf(String(table)) < i, `${name} refers to ${table}, which comes later`)
      references++
    }
  }
  assert.ok(references > 5)
  database.close()
})

for (const { what, change } of [
  { what: 'nothing in a column that must have something', change: { value: null } },
  { what: 'no such column', change: { value: undefined } },
  { what: 'a number where a text belongs', change: { value: 7 } },
]) {
  test(`a row with ${what} is no row`, () => {
    const table = TABLES.find(({ name }) => name === 'remembered')!
    assert.throws(() => rowOf(table, { name: 'x', ...change }), /remembered\.value wants text/)
  })
}

test('a number beyond what JavaScript counts exactly is refused, not rounded', () => {
  const table = TABLES.find(({ name }) => name === 'event_heads')!
  assert.deepEqual(rowOf(table, { account_id: 'a', seq: '9007199254740991' }), { account_id: 'a', seq: 2 ** 53 - 1 })
  assert.throws(() => rowOf(table, { account_id: 'a', seq: '9007199254740993' }), /event_heads\.seq wants integer/)
  assert.throws(() => rowOf(table, { account_id: 'a', seq: 1.5 }), /event_heads\.seq wants integer/)
})
