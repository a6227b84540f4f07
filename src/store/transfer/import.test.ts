import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { START } from '../../../test/store/world.ts'
import { fillInstallation, NUMBERS, PHONE } from '../../../test/testbed/full-installation.ts'
import { type TestDatabases, testDatabases } from '../../../test/testbed/postgres.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import { sealedNumbers } from '../numbers.ts'
import { openStore } from '../open.ts'
import { exportStore, importStore, type Place } from './index.ts'

const common = { numbers: NUMBERS, clock: systemClock, log: silentLog }
const folder = mkdtempSync(join(tmpdir(), 'pincall-import-'))
let databases: TestDatabases
let whole: string
/** Two that are given one wrong file after the other: had one left anything, the next would be refused for it. */
let refusing: Place[]
let made = 0
const freshSqlite = (): Place => ({ dataDir: mkdtempSync(join(folder, `${++made}-`)) })
const freshPlaces = async (): Promise<Place[]> => [
  freshSqlite(),
  { ...freshSqlite(), databaseUrl: await databases.freshDatabase() },
]

before(async () => {
  databases = await testDatabases()
  const place = freshSqlite()
  const store = await openStore({ ...common, ...place })
  await fillInstallation(store)
  await store.close()
  const path = join(folder, 'whole.jsonl')
  await exportStore(place, path, START)
  whole = readFileSync(path, 'utf8')
  refusing = await freshPlaces()
})
after(async () => {
  await databases[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

function written(content: string | Buffer, name = 'file.jsonl'): string {
  const path = join(folder, `${++made}-${name}`)
  writeFileSync(path, content)
  return path
}

/** That the next import may still have it: nothing of the refused one is there. */
async function assertEmptyStill(place: Place): Promise<void> {
  const { tables } = await importStore({ ...common, ...place }, written(whole))
  assert.equal(tables.pins.rows, 6)
}

const lines = () => whole.trimEnd().split('\n')
const text = (all: string[]) => `${all.join('\n')}\n`
const numberOfLine = (table: string) => lines().findIndex((line) => line.startsWith(`["${table}",`))
/** The file with one line changed. */
const changed = (at: number, change: (line: string) => string) =>
  text(lines().map((line, i) => (i === at ? change(line) : line)))
const header = (change: object) => changed(0, (line) => JSON.stringify({ ...JSON.parse(line), ...change }))

for (const { what, file, sentence } of [
  { what: 'an empty file', file: () => '', sentence: /it is empty/ },
  { what: 'another file', file: () => 'PRAGMA foreign_keys=OFF;\n', sentence: /does not begin as one/ },
  { what: 'other JSON', file: () => '[1]\n', sentence: /does not begin as one/ },
  { what: 'a header alone', file: () => text(lines().slice(0, 1)), sentence: /ends at line 1/ },
  {
    what: 'a file without its last line',
    file: () => text(lines().slice(0, -1)),
    sentence: /ends at line \d+, before/,
  },
  { what: 'a file that is cut in mid-line', file: () => whole.slice(0, -100), sentence: /can not be read at line/ },
  {
    what: 'a file that lost a row',
    file: () => text(lines().toSpliced(numberOfLine('events'), 1)),
    sentence: /does not hold the rows of events/,
  },
  {
    what: 'a file with a balance that somebody raised',
    file: () => changed(1, (line) => line.replace(/"balance_micros":\d+/, '"balance_micros":99999999')),
    sentence: /does not hold the rows of accounts/,
  },
  {
    what: 'a file whose rows changed places',
    file: () => {
      const at = numberOfLine('remembered')
      const all = lines()
      return text(all.with(at, all[at + 1]).with(at + 1, all[at]))
    },
    sentence: /does not hold the rows of remembered/,
  },
  {
    what: 'a file that goes on behind its end',
    file: () => `${whole}${lines()[1]}\n`,
    sentence: /goes on after its last line/,
  },
  {
    what: 'a row that comes twice',
    file: () => text(lines().toSpliced(2, 0, lines()[1])),
    sentence: /does not hold the rows of accounts|can not be kept/,
  },
  {
    what: 'a column that is missing',
    file: () => changed(numberOfLine('logins'), (line) => line.replace(/"password_hash":"[^"]*"/, '"x":"y"')),
    sentence: /has no logins\.password_hash at line \d+/,
  },
  {
    what: 'a value that is no value of its column',
    file: () => changed(numberOfLine('events'), (line) => line.replace(/"seq":\d+/, '"seq":"x"')),
    sentence: /at line \d+: events\.seq wants integer/,
  },
  {
    what: 'a table that is none',
    file: () => changed(numberOfLine('events'), (line) => line.replace('["events"', '["sqlite_schema"')),
    sentence: /can not be read at line/,
  },
  {
    what: 'a first line that was changed',
    file: () => header({ at: '2020-01-01T00:00:00.000Z' }),
    sentence: /another first line/,
  },
  { what: 'a newer format', file: () => header({ version: 2 }), sentence: /format version 2.*upgrade this Pincall/ },
  {
    what: 'a newer schema of SQLite',
    file: () => header({ schema: { engine: 'sqlite', version: 99 } }),
    sentence: /schema version 99 \(sqlite\).*upgrade this Pincall/,
  },
  {
    what: 'a newer schema of PostgreSQL',
    file: () => header({ schema: { engine: 'postgres', version: 99 } }),
    sentence: /schema version 99 \(postgres\).*upgrade this Pincall/,
  },
  {
    what: 'an engine of the future',
    file: () => header({ schema: { engine: 'tigerbeetle', version: 1 } }),
    sentence: /upgrade this Pincall/,
  },
]) {
  test(`${what} is refused in a sentence, and nothing of it is written`, async () => {
    for (const place of refusing) {
      await assert.rejects(importStore({ ...common, ...place }, written(file())), (error: Error) => {
        assert.equal(error.name, 'PincallError', error.stack)
        assert.match(error.message, sentence)
        assert.doesNotMatch(error.message, new RegExp(PHONE))
        return true
      })
    }
  })
}

test('what refused all of those is as empty as before', async () => {
  for (const place of refusing) await assertEmptyStill(place)
})

test('a gzipped file that is cut off is refused', async () => {
  const zipped = gzipSync(whole)
  const [place] = await freshPlaces()
  const cut = written(zipped.subarray(0, zipped.length - 20), 'cut.jsonl.gz')
  await assert.rejects(importStore({ ...common, ...place }, cut), /not what gzip wrote, or not all of it/)
  const none = written(whole, 'none.jsonl.gz')
  await assert.rejects(importStore({ ...common, ...place }, none), /not what gzip wrote/)
  await importStore({ ...common, ...place }, written(zipped, 'whole.jsonl.gz'))
})

test('money that does not add up is refused though the file is as it was written', async () => {
  const place = freshSqlite()
  const store = await openStore({ ...common, ...place })
  const { one } = await fillInstallation(store)
  await store.close()
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(join(place.dataDir, 'pincall.db'))
  database.prepare('UPDATE accounts SET balance_micros = balance_micros + 1 WHERE account_id = ?').run(one.accountId)
  database.close()
  const path = join(folder, `${++made}.jsonl`)
  assert.deepEqual((await exportStore(place, path, START)).unbalanced, [one.accountId])
  for (const to of await freshPlaces()) {
    const refusal = new RegExp(`account ${one.accountId} is not what its ledger`)
    await assert.rejects(importStore({ ...common, ...to }, path), refusal)
    await assertEmptyStill(to)
  }
})

test('an installation is not overwritten, not even by itself', async () => {
  for (const place of await freshPlaces()) {
    const store = await openStore({ ...common, ...place })
    await store.ensureAccount({ accountId: 'mine', name: 'mine', createdAt: START }, 7)
    await assert.rejects(
      importStore({ ...common, ...place }, written(whole)),
      /has accounts already.*refuses to overwrite/,
    )
    assert.deepEqual(await store.balance('mine'), { balanceMicros: 7, reservedMicros: 0 })
    assert.deepEqual(
      (await store.listAccounts()).map(({ accountId }) => accountId),
      ['mine'],
    )
    await store.close()
  }
})

test('a database that has anything at all in it is not empty', async () => {
  for (const place of await freshPlaces()) {
    const store = await openStore({ ...common, ...place })
    await store.rememberOnce('master-key:k1', 'x') // a server that was refused its key leaves no more than this
    await store.close()
    await assert.rejects(importStore({ ...common, ...place }, written(whole)), /has remembered values already/)
  }
})

test('numbers sealed with other master keys than those here are refused before anything is written', async () => {
  for (const place of await freshPlaces()) {
    for (const masters of [[{ id: 'k2', key: Buffer.alloc(32, 99) }], [{ id: 'k9', key: Buffer.alloc(32, 22) }]]) {
      const numbers = sealedNumbers(masters)
      const refusal = /sealed with a master key k2 which is not the one here.*bring secret\.key/
      await assert.rejects(importStore({ ...common, ...place, numbers }, written(whole)), refusal)
    }
    await assertEmptyStill(place)
  }
})

test('two imports at once into one database: one of them does it', async () => {
  const [, place] = await freshPlaces() // PostgreSQL; on SQLite the second would hold up the first, in one process
  const path = written(whole)
  const results = await Promise.allSettled([1, 2].map(() => importStore({ ...common, ...place }, path)))
  const refused = results.filter((each) => each.status === 'rejected')
  assert.equal(refused.length, 1)
  assert.match(String(refused[0].reason), /already, and an import refuses/)
})

test('an export never overwrites a file, and leaves none where it could not be finished', async () => {
  const place = freshSqlite()
  const store = await openStore({ ...common, ...place })
  await fillInstallation(store)
  await store.close()
  const there = written('mine')
  await assert.rejects(exportStore(place, there, START), /exists already, and nothing is overwritten/)
  assert.equal(readFileSync(there, 'utf8'), 'mine')
  await assert.rejects(exportStore(place, join(folder, 'no', 'such.jsonl'), START), /can not be written: ENOENT/)
  await assert.rejects(importStore({ ...common, ...freshSqlite() }, join(folder, 'nothing.jsonl')), /There is no file/)
  await assert.rejects(exportStore({ dataDir: join(folder, 'nowhere') }, join(folder, 'y.jsonl'), START), /no database/)
  assert.equal(existsSync(join(folder, 'y.jsonl')), false)
})

test('a text that PostgreSQL can not keep is named in a sentence, and nothing is written', async () => {
  const [from, to] = await freshPlaces()
  const store = await openStore({ ...common, ...from })
  await store.ensureAccount({ accountId: 'a', name: 'a', createdAt: START }, 0)
  await store.putLogin({ accountId: 'a', user: 'nul\u0000nul', passwordHash: 'x' })
  await store.close()
  const path = join(folder, `${++made}.jsonl`)
  await exportStore(from, path, START)
  await assert.rejects(importStore({ ...common, ...to }, path), /A row of logins in this export can not be kept/)
  await importStore({ ...common, ...freshSqlite() }, path)
})
