import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { TEST_NUMBERS } from '../../../test/store/world.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import { openSqliteStore } from '../index.ts'
import { type Migration, migrations } from '../migrations/sqlite/index.ts'
import { openDatabase } from './database.ts'

const folder = mkdtempSync(join(tmpdir(), 'pincall-database-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0
const OPTIONS = { log: silentLog, clock: systemClock, numbers: TEST_NUMBERS }
const open = (path: string, steps?: readonly Migration[]) => openDatabase({ path, ...OPTIONS, ...(steps && { steps }) })
const freshPath = () => join(folder, `${++files}.db`)

test('a database is its owner’s alone to read, with the files beside it', () => {
  const path = freshPath()
  const database = open(path)
  for (const suffix of ['', '-wal', '-shm']) assert.equal(statSync(path + suffix).mode & 0o777, 0o600, suffix)
  database.close()
})

test('a commit is on the disk when it is answered: WAL with full synchronisation', () => {
  const database = open(freshPath())
  assert.deepEqual({ ...database.prepare('PRAGMA journal_mode').get() }, { journal_mode: 'wal' })
  assert.deepEqual({ ...database.prepare('PRAGMA synchronous').get() }, { synchronous: 2 })
  assert.deepEqual({ ...database.prepare('PRAGMA foreign_keys').get() }, { foreign_keys: 1 })
  database.close()
})

test('each migration runs once, in order, however often the database is opened', () => {
  const path = freshPath()
  const first = { version: 1, name: 'one', step: 'CREATE TABLE a (x)' }
  const second = { version: 2, name: 'two', step: 'ALTER TABLE a ADD COLUMN y' }
  open(path, [first]).close()
  open(path, [first, second]).close()
  const database = open(path, [first, second])
  assert.deepEqual(
    database
      .prepare<{ version: number; name: string }>('SELECT version, name FROM schema_version')
      .all()
      .map((row) => `${row.version} ${row.name}`),
    ['1 one', '2 two'],
  )
  database.close()
})

test('a migration that fails leaves the database as it was', () => {
  const path = freshPath()
  const good = { version: 1, name: 'good', step: 'CREATE TABLE a (x)' }
  const bad = { version: 2, name: 'bad', step: 'CREATE TABLE b (x); CREATE TABLE a (x)' }
  assert.throws(() => open(path, [good, bad]), /already exists/)
  const database = open(path, [])
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE name IN ('a', 'b', 'schema_version')").all()
  assert.deepEqual(
    tables.map((row) => ({ ...row })),
    [{ name: 'schema_version' }],
  )
  database.close()
})

test('a database of a newer program is refused with a sentence that says what to upgrade', () => {
  const path = freshPath()
  const newer = { version: 99, name: 'from the future', step: 'CREATE TABLE future (x)' }
  open(path, [...migrations, newer]).close()
  assert.throws(() => open(path), {
    code: 'configuration',
    message:
      `The database ${path} has schema version 99, this program knows versions up to ${migrations.length}: ` +
      'upgrade Pincall to the version that wrote it (the database is not changed).',
  })
})

test('a file that is no database, or a folder that is not there, is a wrong setting, said by its name', async () => {
  const path = freshPath()
  writeFileSync(path, 'this is a shopping list, and a long one, so that it has the length of a header. '.repeat(20))
  await assert.rejects(openSqliteStore({ path, ...OPTIONS }), { code: 'configuration' })
  const nowhere = join(folder, 'no such folder', 'a.db')
  await assert.rejects(openSqliteStore({ path: nowhere, ...OPTIONS }), {
    code: 'configuration',
    message: new RegExp(nowhere),
  })
})

test('a store in memory keeps nothing on the disk; a closed one says so', async () => {
  const store = await openSqliteStore({ path: ':memory:', ...OPTIONS })
  assert.equal(await store.rememberOnce('a', 'b'), 'b')
  await store.close()
  await store.close()
  await assert.rejects(store.rememberOnce('a', 'b'), { code: 'unavailable' })
})

test('what another process writes is seen by the next read, and two writers take turns', async () => {
  const path = freshPath()
  const server = await openSqliteStore({ path, ...OPTIONS })
  const command = await openSqliteStore({ path, ...OPTIONS })
  await server.ensureAccount({ accountId: 'a', name: 'Acme', createdAt: 0 }, 0)
  const deposits = Array.from({ length: 50 }, (_, i) => (i % 2 ? server : command).topUp('a', 1, 'card', 0))
  await Promise.all(deposits)
  assert.equal((await server.balance('a')).balanceMicros, 50)
  assert.equal((await command.balance('a')).balanceMicros, 50)
  await command.close()
  await server.close()
})
