import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { DAY, LEASE_MS, limit, makeWorld, newId, START, TEST_NUMBERS, type World } from '../../../test/store/world.ts'
import { ManualClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import type { Store } from '../types.ts'
import { type Database, openDatabase } from './database.ts'
import { storeOn } from './open.ts'

const NUMBER = '41790001122'

describe('forgetting on SQLite', () => {
  let database: Database
  let store: Store
  let world: World
  beforeEach(async () => {
    database = openDatabase({ path: ':memory:', log: silentLog, numbers: TEST_NUMBERS })
    store = storeOn(database, { log: silentLog, clock: new ManualClock(), numbers: TEST_NUMBERS })
    world = await makeWorld(store)
  })

  async function called(to: string, now: number): Promise<void> {
    const { deliveryId } = await world.send({ pin: { to }, now })
    const attemptId = await world.claimAndBegin(deliveryId, now)
    await world.close(deliveryId, { attemptId, chargeMicros: 100, now })
  }

  const settled = () =>
    database
      .prepare<{ line: string }>(`
        SELECT date(at / 1000, 'unixepoch') || ' ' || micros || ' ' || coalesce(delivery_id IS NOT NULL, 0) AS line
        FROM ledger WHERE kind = 'settle' ORDER BY at, seq`)
      .all()
      .map(({ line }) => line)

  test('old settlements are a line a day, younger ones stay their own', async () => {
    for (const now of [START, START + 1, START + DAY, START + DAY + 1, START + DAY + 2]) await called(NUMBER, now)
    await store.prune({ accountId: world.accountId, before: START + DAY + 1, most: 100 })
    assert.deepEqual(settled(), ['2025-11-24 -200 0', '2025-11-25 -100 0', '2025-11-25 -100 1', '2025-11-25 -100 1'])
    await store.prune({ accountId: world.accountId, before: START + 3 * DAY, most: 100 })
    assert.deepEqual(settled(), ['2025-11-24 -200 0', '2025-11-25 -300 0'])
    assert.equal(await store.ledgerDrift(), 0)
  })

  test('what a person’s calls cost is in the day’s line when the person is gone, late ends among it', async () => {
    await called(NUMBER, START)
    await called('41790003344', START + 1)
    const { deliveryId } = await world.send({ pin: { to: NUMBER }, now: START + 2 })
    const first = await world.claimAndBegin(deliveryId, START + 2)
    await world.close(deliveryId, { attemptId: first, chargeMicros: 7, final: false, now: START + 3 })
    const attemptId = await world.begin(deliveryId, START + 4)
    await store.recover({ nodeId: 'node-b', all: false, now: START + 2 + LEASE_MS })
    assert.equal(await world.close(deliveryId, { attemptId, chargeMicros: 30, now: START + DAY }), true)
    assert.equal(settled().length, 4)
    await store.erase(NUMBER)
    assert.deepEqual(settled(), ['2025-11-24 -107 0', '2025-11-24 -100 1', '2025-11-25 -30 0'])
    assert.equal(await store.ledgerDrift(), 0)
  })

  test('whoever writes meanwhile waits for one slice, not for the end', async () => {
    const free = { pin: { to: NUMBER }, delivery: { reserveMicros: 0 } }
    const counted = Array.from({ length: 5000 }, () => limit('l', newId('counter'), 9, DAY))
    await world.send({ ...free, counted })
    await Promise.all(Array.from({ length: 499 }, () => world.send(free)))
    for (let i = 0; i < 5; i++) for (const { delivery } of await world.claim()) await world.close(delivery.deliveryId)
    const long = {
      reseal: () => store.resealNumbers({ after: '', most: 1000 }),
      prune: () => store.prune({ accountId: world.accountId, before: START + DAY, most: 200 }),
      erase: () => store.erase(NUMBER),
      sweep: () => store.sweep(START + DAY),
    }
    for (const [name, run] of Object.entries(long)) {
      const order: string[] = []
      await Promise.all([
        run().then(() => order.push(name)),
        store.rememberOnce(name, 'x').then(() => order.push('a write')),
      ])
      assert.deepEqual(order, ['a write', name])
    }
    assert.equal(await store.ledgerDrift(), 0)
  })

  test('pruning walks past what stays once, however little it may remove', async () => {
    const long = { pin: { expiresAt: START + 10 * DAY }, delivery: { reserveMicros: 0 } }
    for (let i = 0; i < 500; i++) await world.send({ ...long, now: START + i })
    for (let i = 0; i < 5; i++) for (const { delivery } of await world.claim()) await world.close(delivery.deliveryId)
    let slices = 0
    const counting: Database = {
      ...database,
      prepare: <Row>(sql: string) => {
        const statement = database.prepare<Row>(sql)
        if (!sql.includes('INDEXED BY pins_of_application')) return statement
        return {
          ...statement,
          all: (...values) => {
            slices++
            return statement.all(...values)
          },
        }
      },
    }
    const counted = storeOn(counting, { log: silentLog, clock: new ManualClock(), numbers: TEST_NUMBERS })
    await counted.prune({ accountId: world.accountId, before: START + DAY, most: 1 })
    assert.ok(slices <= 11, `${slices} slices`)
  })
})
