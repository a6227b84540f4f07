import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeWorld } from '../../../test/store/world.ts'
import { MASTERS, NUMBERS } from '../../../test/testbed/full-installation.ts'
import { testDatabases } from '../../../test/testbed/postgres.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import { openStore } from '../open.ts'

const folder = mkdtempSync(join(tmpdir(), 'pincall-many-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const PINS = 20_000
const WIDE = 'x'.repeat(6000)
/** Half of what the rows would take; a command that has read nothing yet needs 30. */
const HEAP_MB = 64

/** The command as an operator runs it, in little memory: without room it dies. */
function pincall(dataDir: string, databaseUrl: string, ...args: string[]): string {
  const main = join(import.meta.dirname, '../../cli/main.ts')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [`--max-old-space-size=${HEAP_MB}`, main, 'store', ...args],
    { encoding: 'utf8', env: { PATH: process.env.PATH, PINCALL_DATA_DIR: dataDir, PINCALL_DATABASE_URL: databaseUrl } },
  )
  assert.equal(status, 0, stderr.slice(0, 2000))
  return stdout + stderr
}

test('a large installation moves there and back in little memory', async () => {
  const [here, there, back] = ['here', 'there', 'back'].map((name) => mkdtempSync(join(folder, name)))
  const keys = MASTERS.map(({ id, key }) => `${id}:${key.toString('hex')}`).join('\n')
  for (const dataDir of [here, there, back]) writeFileSync(join(dataDir, 'secret.key'), keys)
  const store = await openStore({ dataDir: here, numbers: NUMBERS, clock: systemClock, log: silentLog })
  const world = await makeWorld(store, { balanceMicros: PINS * 1000 })
  for (let sent = 0; sent < PINS; sent += 500) {
    const sends = Array.from({ length: 500 }, () =>
      world.send({ pin: { codeKeyId: 'k2', placeholders: { wide: WIDE } } }),
    )
    await Promise.all(sends)
  }
  await store.close()

  await using databases = await testDatabases()
  const url = await databases.freshDatabase()
  const [first, second] = [join(folder, 'first.jsonl'), join(folder, 'second.jsonl.gz')]
  assert.match(pincall(here, '', 'export', first), /20000 PINs, 20000 deliveries/)
  assert.ok(statSync(first).size > PINS * WIDE.length)
  pincall(there, url, 'import', first)
  pincall(there, url, 'export', second)
  assert.match(pincall(back, '', 'import', second), /20000 PINs, 20000 deliveries/)
})
