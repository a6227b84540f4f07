import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { CloseAttempt, Store } from '../../src/store/types.ts'
import { type Engine, LEASE_MS, makeWorld, newId, START, type World } from './world.ts'

const LATER = START + LEASE_MS

export function correctingContract(engine: Engine): void {
  describe('correcting what was given up', () => {
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

    /** A call whose node was given up by another. */
    async function givenUp(reserveMicros = 1000): Promise<{ pinId: string; deliveryId: string; attemptId: string }> {
      const sent = await world.send({ delivery: { reserveMicros } })
      const attemptId = await world.claimAndBegin(sent.deliveryId)
      const { abandoned } = await store.recover({ nodeId: 'node-b', all: false, now: LATER })
      assert.equal(abandoned.length, 1)
      return { ...sent, attemptId }
    }

    const late = (deliveryId: string, change: Partial<CloseAttempt>) =>
      world.close(deliveryId, { now: LATER + 5000, chargeMicros: 400, ...change })

    const kindsOf = async () => (await store.eventsAfter(world.accountId, 0, 100)).map(({ kind }) => kind)

    test('a node that was only slow: the true end of its call is recorded, told and charged, once', async () => {
      const { pinId, deliveryId, attemptId } = await givenUp()
      const evidence = { sipStatus: 200, verdict: 'human' }
      const event = { disposition: 'heard', channel: 'voice' }
      assert.equal(await late(deliveryId, { attemptId, evidence, event }), true)
      const delivery = await store.findDelivery(world.accountId, deliveryId)
      assert.equal(delivery?.state, 'closed')
      assert.equal(delivery?.disposition, 'heard')
      assert.deepEqual(delivery?.evidence, evidence)
      assert.equal(delivery?.chargedMicros, 400)
      const [attempt, ...others] = await store.attemptsOf(deliveryId)
      assert.equal(attempt?.disposition, 'heard')
      assert.deepEqual(attempt?.evidence, evidence)
      assert.equal(attempt?.chargedMicros, 400)
      assert.deepEqual(others, [])
      assert.deepEqual(await store.balance(world.accountId), { balanceMicros: 999_600, reservedMicros: 0 })
      assert.equal(await store.ledgerDrift(), 0)
      const [closed, corrected] = await store.eventsAfter(world.accountId, 0, 10)
      assert.deepEqual([closed?.kind, closed?.data.disposition], ['delivery.closed', 'abandoned'])
      assert.deepEqual(corrected, {
        seq: 2,
        accountId: world.accountId,
        kind: 'delivery.corrected',
        at: LATER + 5000,
        pinId,
        deliveryId,
        data: event,
      })

      assert.equal(await late(deliveryId, { attemptId, disposition: 'machine' }), false)
      assert.equal((await store.findDelivery(world.accountId, deliveryId))?.disposition, 'heard')
      assert.equal((await store.balance(world.accountId)).balanceMicros, 999_600)
      assert.equal(await store.lastSeq(world.accountId), 2)
    })

    test('of many late ends at once one is recorded', async () => {
      const { deliveryId, attemptId } = await givenUp()
      const ends = await Promise.all(Array.from({ length: 10 }, () => late(deliveryId, { attemptId })))
      assert.equal(ends.filter(Boolean).length, 1)
      assert.equal((await store.balance(world.accountId)).balanceMicros, 999_600)
      assert.deepEqual(await kindsOf(), ['delivery.closed', 'delivery.corrected'])
    })

    test('no more is charged late than was reserved then, nor less than nothing', async () => {
      for (const [asked, charged] of [
        [5000, 1000],
        [-5, 0],
      ] as const) {
        const { deliveryId, attemptId } = await givenUp(1000)
        assert.equal(await late(deliveryId, { attemptId, chargeMicros: asked }), true)
        assert.equal((await store.findDelivery(world.accountId, deliveryId))?.chargedMicros, charged)
      }
      assert.deepEqual(await store.balance(world.accountId), { balanceMicros: 999_000, reservedMicros: 0 })
      assert.equal(await store.ledgerDrift(), 0)
    })

    test('no more is charged late than is free now: what was promised to others stays theirs', async () => {
      world = await makeWorld(store, { balanceMicros: 1000 })
      const { deliveryId, attemptId } = await givenUp(1000)
      await world.send({ delivery: { reserveMicros: 900 } })
      assert.equal(await late(deliveryId, { attemptId, chargeMicros: 700 }), true)
      assert.deepEqual(await store.balance(world.accountId), { balanceMicros: 900, reservedMicros: 900 })
      assert.equal((await store.findDelivery(world.accountId, deliveryId))?.chargedMicros, 100)
      assert.equal(await store.ledgerDrift(), 0)
    })

    test('what earlier attempts of it were charged counts against the former reserve too', async () => {
      const { deliveryId } = await world.send({ delivery: { reserveMicros: 1000 } })
      const first = await world.claimAndBegin(deliveryId)
      await world.close(deliveryId, { attemptId: first, final: false, chargeMicros: 800, disposition: 'trunk_failed' })
      const second = await world.begin(deliveryId)
      await store.recover({ nodeId: 'node-b', all: false, now: LATER })
      assert.equal(await late(deliveryId, { attemptId: first }), false, 'that one had its end')
      assert.equal(await late(deliveryId, { attemptId: second, chargeMicros: 800 }), true)
      assert.equal((await store.findDelivery(world.accountId, deliveryId))?.chargedMicros, 1000)
      assert.deepEqual(await store.balance(world.accountId), { balanceMicros: 999_000, reservedMicros: 0 })
      assert.equal(await store.ledgerDrift(), 0)
    })

    test('nothing else changes what is closed: no unknown attempt, none without its id, none that is itself abandoned', async () => {
      const { deliveryId, attemptId } = await givenUp()
      assert.equal(await late(deliveryId, { attemptId: newId('attempt') }), false)
      assert.equal(await late(deliveryId, {}), false)
      assert.equal(await late(deliveryId, { attemptId, disposition: 'abandoned' }), false)
      assert.equal(await late(deliveryId, { attemptId, final: false }), false, 'a route that failed is no end')
      assert.equal((await store.findDelivery(world.accountId, deliveryId))?.disposition, 'abandoned')
      assert.deepEqual(await kindsOf(), ['delivery.closed'])
      assert.equal((await store.balance(world.accountId)).balanceMicros, 1_000_000)
    })

    test('what was told before the node was given up was true: it is closed with that, and not corrected', async () => {
      const { deliveryId } = await world.send()
      const attemptId = await world.claimAndBegin(deliveryId)
      const told = { disposition: 'heard', evidence: { readings: 1 }, event: {}, now: START } as const
      await store.recordOutcome({ deliveryId, nodeId: world.nodeId, ...told })
      await store.recover({ nodeId: 'node-b', all: false, now: LATER })
      assert.equal(await late(deliveryId, { attemptId }), false)
      assert.deepEqual(await kindsOf(), ['delivery.outcome', 'delivery.closed'])
    })

    test('a slow node tells no outcome of a call that was given up, and begins no other', async () => {
      const { deliveryId } = await givenUp()
      const outcome = { disposition: 'heard', evidence: {}, event: {}, now: LATER } as const
      assert.equal(await store.recordOutcome({ deliveryId, nodeId: world.nodeId, ...outcome }), false)
      const lease = { nodeId: world.nodeId, deliveryIds: [deliveryId], leaseMs: LEASE_MS, now: LATER }
      await store.extendLeases(lease)
      assert.deepEqual(await world.tryToBegin(deliveryId, { now: LATER }), { kind: 'lost' })
    })
  })
}
