import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { makeWorld, TEST_NUMBERS } from '../../../test/store/world.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import { openSqliteStore } from './open.ts'

const folder = mkdtempSync(join(tmpdir(), 'pincall-processes-'))
after(() => rmSync(folder, { recursive: true }))
const writer = join(import.meta.dirname, '../../../test/store/crash-writer.ts')

test('while another process writes without a pause, 500 sends against credit for 100 make exactly 100', async () => {
  const path = join(folder, 'shared.db')
  const store = await openSqliteStore({ path, log: silentLog, clock: systemClock, numbers: TEST_NUMBERS })
  const child = spawn(process.execPath, [writer, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let theirs = 0
  const lines = createInterface({ input: child.stdout })
  lines.on('line', () => theirs++)
  await once(lines, 'line')
  const before = theirs

  const world = await makeWorld(store, { balanceMicros: 100_999 })
  const bySms = { delivery: { channel: 'sms' as const } } // the other one carries out what is owed by voice
  const kinds: string[] = []
  for (let i = 0; i < 25; i++) {
    const sends = Array.from({ length: 20 }, () => store.admitSend(world.sendOf(bySms)))
    for (const { kind } of await Promise.all(sends)) kinds.push(kind)
  }
  assert.equal(kinds.filter((kind) => kind === 'owed').length, 100)
  assert.equal(kinds.filter((kind) => kind === 'no_credit').length, 400)
  assert.ok(theirs > before, 'the other one wrote on meanwhile')

  assert.equal((await store.balance(world.accountId)).reservedMicros, 100_000)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(await store.ledgerDrift(), 0)
  await store.close()
})
