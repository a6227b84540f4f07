import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { fillInstallation, NUMBERS } from '../../../test/testbed/full-installation.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import { openStore } from '../open.ts'
import { backupSqlite } from './index.ts'

const common = { numbers: NUMBERS, clock: systemClock, log: silentLog }
const folder = mkdtempSync(join(tmpdir(), 'pincall-backup-'))
after(() => rmSync(folder, { recursive: true, force: true }))

let made = 0
async function filledFile() {
  const dataDir = mkdtempSync(join(folder, `${++made}-`))
  const store = await openStore({ ...common, dataDir })
  const filled = await fillInstallation(store)
  return { dataDir, path: join(dataDir, 'pincall.db'), store, filled }
}

test('a backup under load is whole: everything that was answered before it began is in it, and it runs', async () => {
  const { dataDir, path, store } = await filledFile()
  await store.close()
  const writer = fork(new URL('../../../test/testbed/steady-writer.ts', import.meta.url), [dataDir], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(writer, 'exit')
  const acknowledged: string[] = []
  const enough = Promise.withResolvers<void>()
  writer.on('message', (pinIds: string[]) => {
    acknowledged.push(...pinIds)
    if (acknowledged.length > 500) enough.resolve()
  })
  try {
    await Promise.race([enough.promise, ended.then(() => Promise.reject(new Error('the writer ended')))])
    for (const name of ['first.db', 'second.db']) {
      const before = [...acknowledged]
      const copy = join(folder, name)
      const { rows, bytes } = await backupSqlite(path, copy)
      assert.equal(statSync(copy).mode & 0o777, 0o600)
      assert.equal(statSync(copy).size, bytes)
      const database = new DatabaseSync(copy, { readOnly: true })
      const kept = new Set(
        database
          .prepare('SELECT pin_id FROM pins')
          .all()
          .map((row) => row.pin_id),
      )
      database.close()
      assert.equal(kept.size, rows.pins)
      assert.deepEqual(
        before.filter((pinId) => !kept.has(pinId)),
        [],
      )
    }
    const seen = acknowledged.length
    await new Promise<void>((more) => writer.once('message', () => more()))
    assert.ok(acknowledged.length > seen, 'the writer goes on after it')
  } finally {
    writer.kill()
    await ended
  }
  assert.deepEqual(
    readdirSync(folder).filter((name) => /\.db-|journal/.test(name)),
    [],
    'each copy is one file',
  )
  const restored = mkdtempSync(join(folder, 'restored-'))
  writeFileSync(join(restored, 'pincall.db'), readFileSync(join(folder, 'second.db')))
  const again = await openStore({ ...common, dataDir: restored })
  assert.equal(await again.ledgerDrift(), 0)
  await again.topUp((await again.listAccounts())[0].accountId, 1, 'after the restore', 1)
  assert.equal(await again.ledgerDrift(), 0)
  await again.close()
})

test('a backup never overwrites, and leaves nothing where it fails', async () => {
  const { path, store } = await filledFile()
  const there = join(folder, 'there.db')
  writeFileSync(there, 'mine')
  await assert.rejects(backupSqlite(path, there), /exists already, and nothing is overwritten/)
  assert.equal(readFileSync(there, 'utf8'), 'mine')
  await assert.rejects(backupSqlite(path, join(folder, 'no', 'where.db')), /can not be written/)
  await assert.rejects(backupSqlite(join(folder, 'none.db'), join(folder, 'x.db')), /There is no database/)
  assert.equal(readdirSync(folder).includes('x.db'), false)
  await store.close()
})

test('a damaged database makes no backup that looks like one', async () => {
  const { path, store } = await filledFile()
  await store.close()
  const bytes = readFileSync(path)
  const page = bytes.readUInt16BE(16)
  // an index that has not all of its table: SQLite uses it without a word until asked
  const database = new DatabaseSync(path)
  const { rootpage } = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'pins_of_number'").get()!
  database.exec('PRAGMA journal_mode = DELETE')
  database.close()
  const file = readFileSync(path)
  const start = (Number(rootpage) - 1) * page
  assert.equal(file[start], 10, 'a leaf page of an index')
  file.writeUInt16BE(file.readUInt16BE(start + 3) - 1, start + 3) // one entry fewer
  writeFileSync(path, file)
  const copy = join(folder, 'damaged.db')
  await assert.rejects(backupSqlite(path, copy), /The copy is damaged \(.+\), and removed/s)
  assert.equal(readdirSync(folder).includes('damaged.db'), false)
})
