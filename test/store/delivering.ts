import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { Store } from '../../src/store/types.ts'
import { type Engine, LEASE_MS, makeWorld, NODE, START, type World } from './world.ts'

export function deliveringContract(engine: Engine): void {
  describe('delivering', () => {
    let store: Store
    let world: World
    const opened: Store[] = []
    beforeEach(async () => {
      store = await engine.open(await engine.freshPlace()) // its own: a claim takes whatever is owed
      opened.push(store)
      world = await makeWorld(store)
    })
    afterEach(async () => {
      for (const each of opened.splice(0)) await each.close()
    })

    const outcome = (deliveryId: string, change: object = {}) =>
      store.recordOutcome({
        deliveryId,
        nodeId: NODE,
        disposition: 'heard',
        evidence: { readings: 1 },
        event: { disposition: 'heard' },
        now: START,
        ...change,
      })

    test('what is owed is claimed oldest first, with everything needed to run it', async () => {
      const sent = []
      for (let i = 0; i < 5; i++) sent.push(await world.send({ delivery: { from: '41430000000' } }))
      const jobs = await world.claim({ most: 3 })
      assert.deepEqual(
        jobs.map(({ delivery }) => delivery.deliveryId),
        sent.slice(0, 3).map(({ deliveryId }) => deliveryId),
      )
      const [job] = jobs
      assert.equal(job?.delivery.state, 'claimed')
      assert.equal(job?.delivery.from, '41430000000')
      assert.equal(job?.leaseUntil, START + LEASE_MS)
      const loaded = await store.loadPin(world.accountId, sent[0]!.pinId)
      assert.deepEqual(job?.pin, loaded?.pin)
      assert.deepEqual(job?.template, loaded?.template)
      assert.deepEqual(await store.backlog(), { owed: 2, claimed: 3 })
    })

    test('many nodes that claim at once never get the same delivery', async () => {
      for (let i = 0; i < 40; i++) await world.send()
      const nodes = Array.from({ length: 8 }, (_, i) => world.claim({ nodeId: `node-${i}`, most: 7 }))
      const ids = (await Promise.all(nodes)).flat().map(({ delivery }) => delivery.deliveryId)
      assert.equal(ids.length, 40)
      assert.equal(new Set(ids).size, 40)
      assert.deepEqual(await world.claim(), [])
    })

    test('each channel has its own queue', async () => {
      const sms = await world.send({ delivery: { channel: 'sms' } })
      assert.deepEqual(await world.claim({ channel: 'voice' }), [])
      const [job] = await world.claim({ channel: 'sms' })
      assert.equal(job?.delivery.deliveryId, sms.deliveryId)
    })

    test('a delivery given back untouched is owed again, in its old place; after an attempt it is not given back', async () => {
      const first = await world.send()
      await world.send()
      await world.claim({ most: 1 })
      await store.unclaim(first.deliveryId, 'another-node')
      assert.deepEqual(await store.backlog(), { owed: 1, claimed: 1 })
      await store.unclaim(first.deliveryId, NODE)
      const [again] = await world.claim({ most: 1 })
      assert.equal(again?.delivery.deliveryId, first.deliveryId)
      await world.begin(first.deliveryId)
      await store.unclaim(first.deliveryId, NODE)
      assert.deepEqual(await store.backlog(), { owed: 1, claimed: 1 })
    })

    test('nothing may leave without a lease: not claimed, of another node, or over', async () => {
      const { deliveryId } = await world.send()
      const begin = async (change: object) => (await world.tryToBegin(deliveryId, change)).kind
      assert.equal(await begin({}), 'lost')
      await world.claim()
      assert.equal(await begin({ nodeId: 'another-node' }), 'lost')
      assert.equal(await begin({ now: START + LEASE_MS }), 'lost')
      assert.equal(await begin({ deliveryId: 'unknown' }), 'lost')
      const lease = { nodeId: NODE, deliveryIds: [deliveryId], leaseMs: LEASE_MS, now: START + 20_000 }
      await store.extendLeases({ ...lease, nodeId: 'another-node' })
      assert.equal(await begin({ now: START + LEASE_MS }), 'lost')
      await store.extendLeases(lease)
      assert.equal(await begin({ now: START + LEASE_MS }), 'begun')
      assert.equal((await store.attemptsOf(deliveryId)).length, 1)
    })

    test('of many attempts begun at once at one delivery one may leave', async () => {
      const { deliveryId } = await world.send()
      await world.claim()
      const begun = await Promise.allSettled(Array.from({ length: 10 }, () => world.begin(deliveryId)))
      assert.equal(begun.filter(({ status }) => status === 'fulfilled').length, 1)
    })

    test('a node keeps the deliveries that it names, and no others', async () => {
      const [kept, left] = [await world.send(), await world.send({ delivery: { channel: 'sms' } })]
      await world.claim()
      await world.claim({ channel: 'sms' })
      const later = START + LEASE_MS
      await store.extendLeases({ nodeId: NODE, deliveryIds: [], leaseMs: LEASE_MS, now: START + 1 })
      const named = [kept.deliveryId, 'unknown']
      await store.extendLeases({ nodeId: NODE, deliveryIds: named, leaseMs: LEASE_MS, now: START + 1 })
      assert.deepEqual(await store.recover({ nodeId: 'node-b', all: false, now: later }), {
        abandoned: [],
        requeued: 1,
      })
      assert.equal((await store.findDelivery(world.accountId, left.deliveryId))?.state, 'owed')
      assert.equal((await store.findDelivery(world.accountId, kept.deliveryId))?.state, 'claimed')
    })

    test('a look says which channels owe something and whether a lease is over, to the millisecond', async () => {
      assert.deepEqual(await store.look(START), { owed: [], overdue: false })
      await world.send()
      assert.deepEqual(await store.look(START), { owed: ['voice'], overdue: false })
      const sms = await world.send({ delivery: { channel: 'sms' } })
      const both = await store.look(START)
      assert.deepEqual(both.owed.sort(), ['sms', 'voice'])
      await world.claim()
      assert.deepEqual(await store.look(START + LEASE_MS - 1), { owed: ['sms'], overdue: false })
      assert.deepEqual(await store.look(START + LEASE_MS), { owed: ['sms'], overdue: true })
      await store.recover({ nodeId: 'node-b', all: false, now: START + LEASE_MS })
      await world.claim({ channel: 'sms' })
      await world.close(sms.deliveryId, { disposition: 'sms_sent' })
      assert.deepEqual(await store.look(START + LEASE_MS), { owed: ['voice'], overdue: false })
    })

    test('asking for help harms nothing, whether or not there is somebody to hear it', () => {
      const stop = store.onHelpAsked(() => {})
      store.askForHelp('voice')
      stop()
    })

    test('closing writes attempt, money and event together', async () => {
      const { pinId, deliveryId } = await world.send({ delivery: { reserveMicros: 5000 } })
      const attemptId = await world.claimAndBegin(deliveryId)
      const before = await store.lastSeq(world.accountId)
      const evidence = { sipStatus: 200, verdict: 'human' }
      const now = START + 9
      assert.equal(await world.close(deliveryId, { attemptId, evidence, chargeMicros: 1200, now }), true)
      const delivery = await store.findDelivery(world.accountId, deliveryId)
      assert.equal(delivery?.state, 'closed')
      assert.equal(delivery?.disposition, 'heard')
      assert.equal(delivery?.closedAt, now)
      assert.equal(delivery?.chargedMicros, 1200)
      assert.deepEqual(delivery?.evidence, evidence)
      assert.deepEqual(await store.attemptsOf(deliveryId), [
        {
          attemptId,
          deliveryId,
          trunk: 'trunk-1',
          startedAt: START,
          endedAt: now,
          disposition: 'heard',
          evidence,
          chargedMicros: 1200,
        },
      ])
      assert.deepEqual(await store.balance(world.accountId), { balanceMicros: 998_800, reservedMicros: 0 })
      assert.deepEqual(await store.eventsAfter(world.accountId, before, 10), [
        {
          seq: before + 1,
          accountId: world.accountId,
          kind: 'delivery.closed',
          at: now,
          pinId,
          deliveryId,
          data: { disposition: 'heard' },
        },
      ])
      assert.equal(await store.ledgerDrift(), 0)
    })

    test('a delivery is closed once, however many try: money and event are there once', async () => {
      const { deliveryId } = await world.send()
      const attemptId = await world.claimAndBegin(deliveryId)
      const closes = Array.from({ length: 10 }, () => world.close(deliveryId, { attemptId, chargeMicros: 100 }))
      assert.equal((await Promise.all(closes)).filter(Boolean).length, 1)
      assert.equal((await store.balance(world.accountId)).balanceMicros, 999_900)
      assert.equal((await store.eventsAfter(world.accountId, 0, 100)).length, 1)
    })

    test('another node or another attempt closes nothing', async () => {
      const { deliveryId } = await world.send()
      const attemptId = await world.claimAndBegin(deliveryId)
      assert.equal(await world.close(deliveryId, { attemptId, nodeId: 'another-node', chargeMicros: 9 }), false)
      assert.equal(await world.close(deliveryId, { attemptId: 'unknown', chargeMicros: 9 }), false)
      assert.equal(await world.close('unknown', { attemptId }), false)
      assert.deepEqual(await store.balance(world.accountId), { balanceMicros: 1_000_000, reservedMicros: 1000 })
      assert.equal(await store.lastSeq(world.accountId), 0)
      assert.equal((await store.attemptsOf(deliveryId))[0]?.endedAt, undefined)
    })

    test('no charge goes past the reserve, and none is below nothing', async () => {
      for (const [asked, charged] of [
        [5000, 1000],
        [-7, 0],
      ] as const) {
        const { deliveryId } = await world.send({ delivery: { reserveMicros: 1000 } })
        const attemptId = await world.claimAndBegin(deliveryId)
        await world.close(deliveryId, { attemptId, chargeMicros: asked })
        assert.equal((await store.findDelivery(world.accountId, deliveryId))?.chargedMicros, charged)
      }
      assert.deepEqual(await store.balance(world.accountId), { balanceMicros: 999_000, reservedMicros: 0 })
      assert.equal(await store.ledgerDrift(), 0)
    })

    test('a failed route leaves the reserve for the next; both attempts are told in order', async () => {
      const { deliveryId } = await world.send()
      const first = await world.claimAndBegin(deliveryId)
      const failed = { attemptId: first, disposition: 'trunk_failed', final: false } as const
      assert.equal(await world.close(deliveryId, failed), true)
      assert.equal(await world.close(deliveryId, failed), false, 'an attempt ends once')
      assert.equal((await store.balance(world.accountId)).reservedMicros, 1000)
      assert.equal((await store.findDelivery(world.accountId, deliveryId))?.state, 'claimed')
      assert.equal(await store.lastSeq(world.accountId), 0, 'nothing is told before the end')
      const second = await world.begin(deliveryId)
      await world.close(deliveryId, { attemptId: second, chargeMicros: 400 })
      assert.deepEqual(
        (await store.attemptsOf(deliveryId)).map(({ attemptId, disposition }) => [attemptId, disposition]),
        [
          [first, 'trunk_failed'],
          [second, 'heard'],
        ],
      )
      assert.deepEqual(await store.balance(world.accountId), { balanceMicros: 999_600, reservedMicros: 0 })
    })

    test('what several attempts cost together stays within the reserve', async () => {
      const { deliveryId } = await world.send({ delivery: { reserveMicros: 1000 } })
      const first = await world.claimAndBegin(deliveryId)
      await world.close(deliveryId, { attemptId: first, disposition: 'trunk_failed', chargeMicros: 700, final: false })
      assert.deepEqual(await store.balance(world.accountId), { balanceMicros: 999_300, reservedMicros: 300 })
      assert.equal(await store.ledgerDrift(), 0)
      const second = await world.begin(deliveryId)
      await world.close(deliveryId, { attemptId: second, chargeMicros: 700 })
      assert.deepEqual(await store.balance(world.accountId), { balanceMicros: 999_000, reservedMicros: 0 })
      assert.equal((await store.findDelivery(world.accountId, deliveryId))?.chargedMicros, 1000)
      assert.equal(await store.ledgerDrift(), 0)
    })

    test('a delivery without a route ends without an attempt', async () => {
      const { deliveryId } = await world.send()
      await world.claim()
      assert.equal(await world.close(deliveryId, { disposition: 'no_route' }), true)
      assert.deepEqual(await store.attemptsOf(deliveryId), [])
      assert.equal((await store.findDelivery(world.accountId, deliveryId))?.disposition, 'no_route')
      assert.equal((await store.balance(world.accountId)).reservedMicros, 0)
    })

    test('an outcome told during the call is there at once, and the delivery stays open', async () => {
      const { pinId, deliveryId } = await world.send()
      const attemptId = await world.claimAndBegin(deliveryId)
      assert.equal(await outcome(deliveryId), true)
      const delivery = await store.findDelivery(world.accountId, deliveryId)
      assert.equal(delivery?.disposition, 'heard')
      assert.equal(delivery?.state, 'claimed')
      assert.deepEqual(delivery?.evidence, { readings: 1 })
      assert.equal((await world.resend(pinId)).kind, 'joined')
      await world.close(deliveryId, { attemptId, disposition: 'lost', evidence: { readings: 2 }, chargeMicros: 50 })
      const closed = await store.findDelivery(world.accountId, deliveryId)
      assert.equal(closed?.disposition, 'heard', 'what was told stays true')
      assert.deepEqual(closed?.evidence, { readings: 2 })
      assert.equal(closed?.chargedMicros, 50)
      const kinds = (await store.eventsAfter(world.accountId, 0, 10)).map(({ kind }) => kind)
      assert.deepEqual(kinds, ['delivery.outcome', 'delivery.closed'])
    })

    test('an outcome is told once, by the node that holds the delivery, while it is open; no call follows it', async () => {
      const { deliveryId } = await world.send()
      assert.equal(await outcome(deliveryId), false)
      const attemptId = await world.claimAndBegin(deliveryId)
      assert.equal(await outcome(deliveryId, { nodeId: 'another-node' }), false)
      assert.equal(await outcome(deliveryId), true)
      assert.equal(await outcome(deliveryId, { disposition: 'machine' }), false)
      await world.close(deliveryId, { attemptId, final: false })
      await assert.rejects(world.begin(deliveryId))
      await world.close(deliveryId)
      assert.equal(await outcome(deliveryId), false)
      assert.equal((await store.eventsAfter(world.accountId, 0, 10)).length, 2)
    })
  })
}
