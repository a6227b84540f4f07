import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, beforeEach, describe, test } from 'node:test'
import { LEASE_MS, MINUTE, makeWorld, START, TEST_NUMBERS, type World } from '../../../test/store/world.ts'
import { ManualClock } from '../../clock.ts'
import type { PincallError } from '../../errors.ts'
import { silentLog } from '../../log.ts'
import type { Store } from '../types.ts'
import { type Database, openDatabase } from './database.ts'
import { storeOn } from './open.ts'

const folder = mkdtempSync(join(tmpdir(), 'pincall-outage-'))
after(() => rmSync(folder, { recursive: true }))
let places = 0

describe('a store whose database can not write', () => {
  let path: string
  let database: Database
  let clock: ManualClock
  let store: Store
  let world: World
  beforeEach(async () => {
    path = join(folder, `${++places}.db`)
    database = openDatabase({ path, log: silentLog, numbers: TEST_NUMBERS })
    clock = new ManualClock()
    store = storeOn(database, { log: silentLog, clock, numbers: TEST_NUMBERS })
    world = await makeWorld(store, { balanceMicros: 100_000_000 })
  })

  const pages = () => database.prepare<{ page_count: number }>('PRAGMA page_count').get()?.page_count ?? 0
  const mostPages = (count: number) => database.exec(`PRAGMA max_page_count = ${count}`)

  test('a full disk: a clear error, nothing half done, reads go on, and with room it writes again by itself', async () => {
    const before = await world.send()
    await world.claimAndBegin(before.deliveryId)
    mostPages(pages() + 10)
    const sends = Array.from({ length: 600 }, () => world.sendOf())
    const answers: PromiseSettledResult<unknown>[] = []
    for (let i = 0; i < 600; i += 15) {
      answers.push(...(await Promise.allSettled(sends.slice(i, i + 15).map((send) => store.admitSend(send)))))
    }
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as PincallError] : []))
    assert.ok(refused.length > 0 && refused.length < 600, String(refused.length))
    for (const error of refused) {
      assert.equal(error.code, 'unavailable')
      assert.equal(error.message, 'The database can not write: the disk is full. Nothing was changed, try again.')
      assert.equal(error.retryAfterMs, 1000)
    }
    assert.equal(store.trouble(), 'The database can not write: the disk is full.')

    assert.equal((await store.findDelivery(world.accountId, before.deliveryId))?.state, 'claimed')
    for (const [i, { status }] of answers.entries()) {
      const found = await store.loadPin(world.accountId, sends[i]!.pin.pinId)
      assert.equal(found !== undefined, status === 'fulfilled')
    }
    const owed = 600 - refused.length
    assert.deepEqual(await store.backlog(), { owed, claimed: 1 })
    assert.equal((await store.balance(world.accountId)).reservedMicros, (owed + 1) * 1000)
    assert.equal(await store.ledgerDrift(), 0)

    mostPages(1_000_000)
    await clock.advance(1000)
    assert.equal(store.trouble(), undefined)
    assert.equal(await world.close(before.deliveryId), true)
    await world.send()
    assert.equal(await store.ledgerDrift(), 0)
    await store.close()
    assert.equal(clock.pending, 0)
  })

  test('a file that can only be read: signed-in users go on reading, and nothing else is changed', async () => {
    const session = { tokenHash: 't', accountId: world.accountId, kind: 'session' as const, slidesMs: MINUTE }
    await store.createSession({ ...session, expiresAt: START + MINUTE })
    const { deliveryId } = await world.send()
    database.exec('PRAGMA query_only = 1')
    await assert.rejects(world.send(), { code: 'unavailable', message: /it can only be read/ })
    await assert.rejects(world.claim(), { code: 'unavailable' })
    await assert.rejects(world.tryToBegin(deliveryId), { code: 'unavailable' })
    assert.equal((await store.useSession('t', START + 5))?.expiresAt, START + MINUTE)
    assert.equal(await store.useSession('t', START + MINUTE), undefined, 'an ended one does not come back')
    assert.match(store.trouble() ?? '', /it can only be read/)
    database.exec('PRAGMA query_only = 0')
    assert.equal((await store.useSession('t', START + 5))?.expiresAt, START + 5 + MINUTE)
    assert.equal(store.trouble(), undefined)
    assert.equal(clock.pending, 0)
    await store.close()
  })

  test('another program that holds the file too long: an error that says so, and the next write goes through', async () => {
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const refused = await Promise.allSettled([world.send(), world.send()])
    for (const each of refused) {
      assert.equal(each.status === 'rejected' && each.reason.code, 'unavailable')
      assert.match(each.status === 'rejected' ? each.reason.message : '', /another program holds it/)
    }
    assert.deepEqual(await store.backlog(), { owed: 0, claimed: 0 })
    other.exec('COMMIT')
    other.close()
    await clock.advance(1000)
    assert.equal(store.trouble(), undefined)
    await world.send()
    await store.close()
  })

  test('what waits while the disk is full is not lost by a lease that runs out: recovery closes it', async () => {
    const { deliveryId } = await world.send()
    await world.claimAndBegin(deliveryId)
    database.exec('PRAGMA query_only = 1')
    await assert.rejects(world.close(deliveryId), { code: 'unavailable' })
    database.exec('PRAGMA query_only = 0')
    const { abandoned } = await store.recover({ nodeId: 'node-b', all: false, now: START + LEASE_MS })
    assert.deepEqual(
      abandoned.map(({ disposition }) => disposition),
      ['abandoned'],
    )
    await store.close()
  })
})
