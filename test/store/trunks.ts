import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { Begun, Store, TrunkLimits } from '../../src/store/types.ts'
import { type Engine, LEASE_MS, makeWorld, newId, START, type World } from './world.ts'

const WIDE: TrunkLimits = { callsPerSecond: 1000, concurrency: 1000 }

export function trunksContract(engine: Engine): void {
  describe('trunks', () => {
    let store: Store
    let world: World
    const opened: Store[] = []
    beforeEach(async () => {
      store = await engine.open(await engine.freshPlace())
      opened.push(store)
      world = await makeWorld(store)
    })
    afterEach(async () => {
      for (const each of opened.splice(0)) await each.close()
    })

    /** So many claimed deliveries. */
    async function claimed(count: number): Promise<string[]> {
      for (let i = 0; i < count; i++) await world.send()
      return (await world.claim()).map(({ delivery }) => delivery.deliveryId)
    }

    const beginOver = (deliveryId: string, limits: Partial<TrunkLimits>, change: object = {}): Promise<Begun> =>
      world.tryToBegin(deliveryId, { trunk: 't', limits: { ...WIDE, ...limits }, ...change })

    test('a trunk carries as many calls at once as it may; one that ends makes room', async () => {
      const [first, second, third] = await claimed(3)
      const attemptId = newId('attempt')
      assert.equal((await beginOver(first!, { concurrency: 2 }, { attemptId })).kind, 'begun')
      assert.equal((await beginOver(second!, { concurrency: 2 })).kind, 'begun')
      assert.deepEqual(await beginOver(third!, { concurrency: 2 }), { kind: 'full' })
      assert.deepEqual(await store.attemptsOf(third!), [], 'nothing was written')
      await world.close(first!, { attemptId, final: false, disposition: 'trunk_failed' })
      assert.equal((await beginOver(third!, { concurrency: 2 })).kind, 'begun')
    })

    test('a call whose node is gone makes room once it is recovered', async () => {
      const [first, second] = await claimed(2)
      await beginOver(first!, { concurrency: 1 })
      const now = START + LEASE_MS
      await store.extendLeases({ nodeId: world.nodeId, deliveryIds: [second!], leaseMs: LEASE_MS, now: START + 1 })
      assert.equal((await beginOver(second!, { concurrency: 1 }, { now })).kind, 'full')
      await store.recover({ nodeId: 'node-b', all: false, now })
      assert.equal((await beginOver(second!, { concurrency: 1 }, { now })).kind, 'begun')
    })

    test('a trunk begins as many calls a second as it may, to the millisecond, also where they are over', async () => {
      const [a, b, c, d, e] = await claimed(5)
      const rate = { callsPerSecond: 3 }
      assert.deepEqual(await beginOver(a!, rate), { kind: 'begun', atRateLimit: false })
      await world.close(a!)
      assert.deepEqual(await beginOver(b!, rate, { now: START + 1 }), { kind: 'begun', atRateLimit: false })
      assert.deepEqual(await beginOver(c!, rate, { now: START + 2 }), { kind: 'begun', atRateLimit: true })
      assert.deepEqual(await beginOver(d!, rate, { now: START + 999 }), { kind: 'full' })
      assert.deepEqual(await beginOver(d!, rate, { now: START + 1000 }), { kind: 'begun', atRateLimit: true })
      assert.deepEqual(await beginOver(e!, rate, { now: START + 1000 }), { kind: 'full' })
      assert.deepEqual(await beginOver(e!, rate, { now: START + 2000 }), { kind: 'begun', atRateLimit: false })
    })

    test('each trunk has room of its own: a full one leaves the delivery for the next', async () => {
      const [first, second] = await claimed(2)
      const one = { concurrency: 1, callsPerSecond: 1 }
      assert.equal((await beginOver(first!, one)).kind, 'begun')
      assert.equal((await beginOver(second!, one)).kind, 'full')
      assert.deepEqual(await beginOver(second!, one, { trunk: 'u' }), { kind: 'begun', atRateLimit: true })
    })

    test('a limit is the one that is asked for now: raised or lowered, it holds at once', async () => {
      const [first, second, third] = await claimed(3)
      assert.equal((await beginOver(first!, { concurrency: 5 })).kind, 'begun')
      assert.equal((await beginOver(second!, { concurrency: 1 })).kind, 'full')
      assert.equal((await beginOver(second!, { concurrency: 2 })).kind, 'begun')
      assert.equal((await beginOver(third!, { callsPerSecond: 2 })).kind, 'full')
    })

    test('what may not begin takes no place on the trunk', async () => {
      const [first, second] = await claimed(2)
      const rate = { callsPerSecond: 1 }
      assert.equal((await beginOver(first!, rate, { nodeId: 'another-node' })).kind, 'lost')
      assert.equal((await beginOver(first!, rate, { deliveryId: 'unknown' })).kind, 'lost')
      assert.equal((await beginOver(second!, rate)).kind, 'begun')
    })

    test('without limits nothing is full, and nothing is counted as begun', async () => {
      const ids = await claimed(5)
      for (const id of ids.slice(0, 4)) {
        assert.deepEqual(await world.tryToBegin(id, { trunk: 't' }), { kind: 'begun', atRateLimit: false })
      }
      assert.deepEqual(await beginOver(ids[4]!, { callsPerSecond: 2 }), { kind: 'begun', atRateLimit: false })
    })

    test('of many calls begun at once exactly as many as there is room for are begun', async () => {
      const ids = await claimed(40)
      const kinds = async (limits: Partial<TrunkLimits>, trunk: string) =>
        (await Promise.all(ids.map((id) => beginOver(id, limits, { trunk })))).map(({ kind }) => kind)
      const first = await kinds({ concurrency: 6 }, 't')
      assert.equal(first.filter((kind) => kind === 'begun').length, 6)
      const second = await kinds({ callsPerSecond: 9 }, 'u')
      assert.equal(second.filter((kind) => kind === 'begun').length, 9)
      assert.equal(second.filter((kind) => kind === 'lost').length, 6, 'those that are on the first trunk')
      assert.equal(second.filter((kind) => kind === 'full').length, 25)
    })
  })
}
