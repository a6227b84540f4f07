import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Store } from '../../src/store/types.ts'
import { type Engine, LEASE_MS, makeWorld, NODE, START } from './world.ts'

export function recoveringContract(engine: Engine): void {
  describe('recovering', () => {
    /** Runs `before` in a process that then goes away, and `after` in the one that comes next. */
    async function acrossRestart<T>(
      before: (store: Store) => Promise<T>,
      after: (store: Store, left: T) => Promise<void>,
    ): Promise<void> {
      const place = await engine.freshPlace()
      const first = await engine.open(place)
      const left = await before(first)
      await first.close()
      const second = await engine.open(place)
      await after(second, left)
      await second.close()
    }

    test('a call that was in progress ends as abandoned, its money is freed, and nobody is redialled', () =>
      acrossRestart(
        async (store) => {
          const world = await makeWorld(store)
          const { deliveryId, pinId } = await world.send()
          const attemptId = await world.claimAndBegin(deliveryId)
          return { ...world, deliveryId, pinId, attemptId }
        },
        async (store, { accountId, deliveryId, attemptId, pinId }) => {
          const heard: string[] = []
          store.onEvent(({ kind }) => heard.push(kind))
          const now = START + 1000
          const recovered = await store.recover({ nodeId: 'node-b', all: true, now })
          assert.equal(recovered.requeued, 0)
          assert.deepEqual(recovered.abandoned, [await store.findDelivery(accountId, deliveryId)])
          const [delivery] = recovered.abandoned
          assert.equal(delivery?.state, 'closed')
          assert.equal(delivery?.disposition, 'abandoned')
          assert.equal(delivery?.closedAt, now)
          assert.equal(delivery?.chargedMicros, 0)
          const [attempt] = await store.attemptsOf(deliveryId)
          assert.equal(attempt?.attemptId, attemptId)
          assert.equal(attempt?.disposition, 'abandoned')
          assert.equal(attempt?.endedAt, now)
          assert.deepEqual(await store.balance(accountId), { balanceMicros: 1_000_000, reservedMicros: 0 })
          const events = await store.eventsAfter(accountId, 0, 10)
          assert.deepEqual(
            events.map((event) => [event.kind, event.pinId, event.data.disposition]),
            [['delivery.closed', pinId, 'abandoned']],
          )
          assert.deepEqual(heard, ['delivery.closed'])
          const claim = { nodeId: 'node-b', channel: 'voice', most: 10, leaseMs: LEASE_MS, now } as const
          assert.deepEqual(await store.claimDeliveries(claim), [])
          assert.equal(await store.ledgerDrift(), 0)
        },
      ))

    test('a delivery that was claimed and not begun is owed again, its money still reserved', () =>
      acrossRestart(
        async (store) => {
          const world = await makeWorld(store)
          const sent = await world.send()
          await world.claim()
          return { ...world, ...sent }
        },
        async (store, { accountId, deliveryId }) => {
          const recovered = await store.recover({ nodeId: 'node-b', all: true, now: START })
          assert.deepEqual(recovered, { abandoned: [], requeued: 1 })
          assert.equal((await store.balance(accountId)).reservedMicros, 1000)
          const claim = { nodeId: 'node-b', channel: 'voice', most: 10, leaseMs: LEASE_MS, now: START } as const
          const jobs = await store.claimDeliveries(claim)
          assert.deepEqual(
            jobs.map(({ delivery }) => delivery.deliveryId),
            [deliveryId],
          )
        },
      ))

    test('an outcome that was told stays true when the process dies in the repetition', () =>
      acrossRestart(
        async (store) => {
          const world = await makeWorld(store)
          const { deliveryId } = await world.send()
          await world.claimAndBegin(deliveryId)
          await store.recordOutcome({
            deliveryId,
            nodeId: NODE,
            disposition: 'heard',
            evidence: { readings: 1 },
            event: {},
            now: START,
          })
          return { ...world, deliveryId }
        },
        async (store, { accountId }) => {
          const { abandoned } = await store.recover({ nodeId: 'node-b', all: true, now: START })
          assert.equal(abandoned[0]?.disposition, 'heard')
          assert.deepEqual(abandoned[0]?.evidence, { readings: 1 })
          assert.deepEqual(await store.balance(accountId), { balanceMicros: 1_000_000, reservedMicros: 0 })
        },
      ))

    test('a delivery whose outcome was told is not owed again, also where its attempt was over', async () => {
      const store = await engine.open(await engine.freshPlace())
      const world = await makeWorld(store)
      const { deliveryId } = await world.send()
      const attemptId = await world.claimAndBegin(deliveryId)
      const told = { disposition: 'heard', evidence: {}, event: {}, now: START } as const
      await store.recordOutcome({ deliveryId, nodeId: NODE, ...told })
      await world.close(deliveryId, { attemptId, final: false, chargeMicros: 20 })
      const { abandoned, requeued } = await store.recover({ nodeId: 'node-b', all: true, now: START })
      assert.equal(requeued, 0)
      assert.equal(abandoned[0]?.disposition, 'heard')
      assert.equal(abandoned[0]?.chargedMicros, 20)
      assert.deepEqual(await store.balance(world.accountId), { balanceMicros: 999_980, reservedMicros: 0 })
      assert.equal(await store.ledgerDrift(), 0)
      await store.close()
    })

    test('what is not open is left alone, and a second recovery finds nothing', () =>
      acrossRestart(
        async (store) => {
          const world = await makeWorld(store)
          const owed = await world.send({ delivery: { channel: 'sms' } })
          const closed = await world.send()
          await world.claimAndBegin(closed.deliveryId)
          await world.close(closed.deliveryId, { chargeMicros: 70 })
          return { ...world, owed, closed }
        },
        async (store, { accountId, owed, closed }) => {
          const nothing = { abandoned: [], requeued: 0 }
          assert.deepEqual(await store.recover({ nodeId: 'node-b', all: true, now: START }), nothing)
          assert.equal((await store.findDelivery(accountId, owed.deliveryId))?.state, 'owed')
          assert.equal((await store.findDelivery(accountId, closed.deliveryId))?.disposition, 'heard')
          assert.deepEqual(await store.balance(accountId), { balanceMicros: 999_930, reservedMicros: 1000 })
          assert.equal(await store.ledgerDrift(), 0)
        },
      ))

    test('beside other nodes only leases that are over are taken, once', async () => {
      const store = await engine.open(await engine.freshPlace())
      const world = await makeWorld(store)
      const { deliveryId } = await world.send()
      await world.claimAndBegin(deliveryId)
      const recover = (now: number) => store.recover({ nodeId: 'node-b', all: false, now })
      assert.equal((await recover(START + LEASE_MS - 1)).abandoned.length, 0)
      assert.equal((await recover(START + LEASE_MS)).abandoned.length, 1)
      assert.equal((await recover(START + LEASE_MS)).abandoned.length, 0)
      await store.close()
    })

    test("a node's own running calls survive its recovery of the others", async () => {
      const store = await engine.open(await engine.freshPlace())
      const world = await makeWorld(store)
      const { deliveryId } = await world.send()
      await world.claimAndBegin(deliveryId)
      const nothing = { abandoned: [], requeued: 0 }
      assert.deepEqual(await store.recover({ nodeId: NODE, all: true, now: START + 1 }), nothing)
      await store.close()
    })
  })
}
