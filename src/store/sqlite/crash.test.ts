import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { TEST_NUMBERS } from '../../../test/store/world.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import { openSqliteStore, type Store } from '../index.ts'

type Acknowledged = {
  did: 'send' | 'verify' | 'begin' | 'close'
  accountId: string
  pinId: string
  deliveryId: string
}

const folder = mkdtempSync(join(tmpdir(), 'pincall-crash-'))
after(() => rmSync(folder, { recursive: true }))
const writer = join(import.meta.dirname, '../../../test/store/crash-writer.ts')

/** Lets a process write, kills it once it has acknowledged so many writes, and gives back all that it acknowledged. */
async function writeUntilKilled(path: string, count: number): Promise<Acknowledged[]> {
  const child = spawn(process.execPath, [writer, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    if (lines.length === count) child.kill('SIGKILL')
  }
  assert.deepEqual(await exited, [null, 'SIGKILL'])
  return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line)) // the last may be cut short
}

async function assertKept(store: Store, { did, accountId, pinId, deliveryId }: Acknowledged): Promise<void> {
  const delivery = await store.findDelivery(accountId, deliveryId)
  assert.ok(delivery, `${did} of ${deliveryId} is lost`)
  if (did === 'verify') assert.ok((await store.loadPin(accountId, pinId))?.pin.verifiedAt)
  if (did === 'begin') assert.equal((await store.attemptsOf(deliveryId)).length, 1)
  if (did === 'close') assert.equal(delivery.disposition, 'heard')
}

test('a writer killed at any moment loses nothing that it acknowledged, and its calls end as abandoned', async () => {
  const path = join(folder, 'crash.db')
  for (const count of [1, 400, 1500, 2999]) {
    const acknowledged = await writeUntilKilled(path, count)
    const store = await openSqliteStore({ path, log: silentLog, clock: systemClock, numbers: TEST_NUMBERS })
    for (const each of acknowledged) await assertKept(store, each)
    assert.equal(await store.ledgerDrift(), 0)
    await store.recover({ nodeId: 'next', all: true, now: Date.now() })
    assert.equal((await store.backlog()).claimed, 0)
    assert.equal(await store.ledgerDrift(), 0)
    await store.close()
  }
})
