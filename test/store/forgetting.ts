import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { sealedNumbers } from '../../src/store/numbers.ts'
import type { Removed, Store } from '../../src/store/types.ts'
import { DAY, type Engine, limit, MINUTE, makeWorld, NEW_KEY, newId, OLD_KEY, START, type World } from './world.ts'

const NUMBER = '41790001122'
const OTHER = '41790003344'
const NOTHING: Removed = { pins: 0, deliveries: 0, attempts: 0, events: 0 }

export function forgettingContract(engine: Engine): void {
  describe('forgetting', () => {
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

    /** A PIN that was called once, for 100, and verified: two events. */
    async function called(by: World, now: number, to = NUMBER): Promise<{ pinId: string; deliveryId: string }> {
      const sent = await by.send({ pin: { to }, now })
      const attemptId = await by.claimAndBegin(sent.deliveryId, now)
      await by.close(sent.deliveryId, { attemptId, chargeMicros: 100, now })
      await by.check(sent.pinId, true, { now })
      return sent
    }

    async function pruneAll(accountId: string, before: number, most = 1000): Promise<Removed> {
      const sum = { ...NOTHING }
      for (;;) {
        const removed = await store.prune({ accountId, before, most })
        assert.ok(removed.pins <= most)
        for (const kind of ['pins', 'deliveries', 'attempts', 'events'] as const) sum[kind] += removed[kind]
        if (removed.pins === 0 && removed.events === 0) return sum
      }
    }

    test('what is older goes with all that hangs on it; what is younger, and other accounts, stay', async () => {
      const other = await makeWorld(store)
      const old = await called(world, START)
      const young = await called(world, START + DAY)
      const others = await called(other, START)
      assert.deepEqual(await pruneAll(world.accountId, START + DAY), { pins: 1, deliveries: 1, attempts: 1, events: 2 })
      assert.equal(await store.loadPin(world.accountId, old.pinId), undefined)
      assert.equal(await store.findDelivery(world.accountId, old.deliveryId), undefined)
      assert.deepEqual(await store.attemptsOf(old.deliveryId), [])
      assert.deepEqual(await world.check(old.pinId, true), { kind: 'not_found' })
      assert.ok(await store.loadPin(world.accountId, young.pinId))
      assert.equal((await store.attemptsOf(young.deliveryId)).length, 1)
      assert.ok(await store.loadPin(other.accountId, others.pinId))
      assert.deepEqual(await pruneAll(world.accountId, START + DAY), NOTHING)
      assert.deepEqual(await store.prune({ accountId: 'nobody', before: START + DAY, most: 10 }), NOTHING)
    })

    test('numbers of events go on where they were, whatever of them was removed', async () => {
      await called(world, START)
      await called(world, START + DAY)
      await pruneAll(world.accountId, START + 2 * DAY)
      assert.deepEqual(await store.eventsAfter(world.accountId, 0, 10), [])
      assert.equal(await store.lastSeq(world.accountId), 4)
      await called(world, START + 3 * DAY)
      assert.deepEqual(
        (await store.eventsAfter(world.accountId, 4, 10)).map(({ seq }) => seq),
        [5, 6],
      )
    })

    test('old events go also where their PIN stays', async () => {
      const { pinId } = await world.send({ pin: { expiresAt: START + 10 * DAY } })
      await world.check(pinId, true)
      assert.deepEqual(await pruneAll(world.accountId, START + DAY), { ...NOTHING, events: 1 })
      assert.ok(await store.loadPin(world.accountId, pinId))
    })

    test('a PIN whose life goes on, or of which a delivery is open, stays until that is over', async () => {
      const alive = await world.send({ pin: { expiresAt: START + 10 * DAY } })
      await world.close((await world.claim())[0]!.delivery.deliveryId)
      const open = await world.send()
      const claimed = await world.send()
      await world.claim({ most: 2 })
      await store.unclaim(open.deliveryId, world.nodeId)
      assert.equal((await pruneAll(world.accountId, START + 5 * DAY)).pins, 0)
      for (const { delivery } of await world.claim()) await world.close(delivery.deliveryId)
      await world.close(claimed.deliveryId)
      await world.close(open.deliveryId)
      assert.equal((await pruneAll(world.accountId, START + 5 * DAY)).pins, 2)
      assert.ok(await store.loadPin(world.accountId, alive.pinId))
      assert.equal((await pruneAll(world.accountId, START + 10 * DAY)).pins, 1)
    })

    test('so many go at a time, until all are gone', async () => {
      for (let i = 0; i < 7; i++) await called(world, START + i)
      const stays = await world.send({ pin: { expiresAt: START + 10 * DAY } })
      await world.close((await world.claim())[0]!.delivery.deliveryId)
      const first = await store.prune({ accountId: world.accountId, before: START + DAY, most: 3 })
      assert.equal(first.pins, 3)
      assert.deepEqual((await pruneAll(world.accountId, START + DAY, 3)).pins, 4)
      assert.ok(await store.loadPin(world.accountId, stays.pinId))
    })

    test('hundreds go in one call', async () => {
      const sent = await Promise.all(Array.from({ length: 260 }, () => world.send({ delivery: { reserveMicros: 0 } })))
      for (let i = 0; i < 3; i++) for (const { delivery } of await world.claim()) await world.close(delivery.deliveryId)
      const removed = await store.prune({ accountId: world.accountId, before: START + DAY, most: 1000 })
      assert.deepEqual(removed, { pins: 260, deliveries: 260, attempts: 0, events: 260 })
      assert.equal(await store.loadPin(world.accountId, sent[259]!.pinId), undefined)
    })

    test('old settlements become a line a day: the ledger still adds up, as often as they are pruned', async () => {
      for (let day = 0; day < 3; day++) for (let i = 0; i < 4; i++) await called(world, START + day * DAY + i)
      const balance = await store.balance(world.accountId)
      assert.deepEqual(balance, { balanceMicros: 1_000_000 - 1200, reservedMicros: 0 })
      for (const before of [START + 2, START + DAY, START + DAY + 1, START + 5 * DAY]) {
        await pruneAll(world.accountId, before)
        assert.equal(await store.ledgerDrift(), 0)
        assert.deepEqual(await store.balance(world.accountId), balance)
      }
    })

    test('a person is forgotten everywhere: PINs of all accounts, calls, events, limits, keys; what was paid stays', async () => {
      const other = await makeWorld(store)
      const idempotency = { key: newId('idem'), fingerprint: 'f' }
      const counted = [
        limit('a', `send-number:${world.applicationId}`, 1, DAY, NUMBER),
        limit('b', newId('counter'), 9, DAY),
      ]
      const keyed = await world.send({ pin: { to: NUMBER }, idempotency, counted })
      await world.claimAndBegin(keyed.deliveryId)
      await world.close(keyed.deliveryId)
      const pins = [await called(world, START), await called(other, START + 1)]
      const stays = await called(world, START + 2, OTHER)
      const balances = [await store.balance(world.accountId), await store.balance(other.accountId)]

      const erased = await store.erase(NUMBER)
      assert.deepEqual(erased, { pins: 3, deliveries: 3, attempts: 3, events: 5, counters: 1, inProgress: 0 })
      assert.equal(await store.loadPin(world.accountId, keyed.pinId), undefined)
      for (const { pinId } of pins) {
        assert.equal(await store.loadPin(world.accountId, pinId), undefined)
        assert.equal(await store.loadPin(other.accountId, pinId), undefined)
      }
      const { accountId, applicationId } = world
      assert.deepEqual(await store.verifications({ accountId, applicationId, to: NUMBER }), [])
      assert.ok(await store.loadPin(accountId, stays.pinId))
      assert.equal((await store.eventsAfter(accountId, 0, 100)).filter(({ pinId }) => pinId !== stays.pinId).length, 0)
      assert.equal(await store.lastSeq(accountId), 5)
      assert.deepEqual([await store.balance(accountId), await store.balance(other.accountId)], balances)
      assert.equal(await store.ledgerDrift(), 0)

      const again = world.sendOf({ pin: { to: NUMBER }, idempotency, counted })
      assert.equal((await store.admitSend(again)).kind, 'owed', 'neither the key nor the limit is remembered')
      assert.equal(await store.ledgerDrift(), 0)
    })

    test('what is on its way to the person stays, is counted, and goes with the next', async () => {
      const over = await called(world, START)
      const owed = await world.send({ pin: { to: NUMBER }, delivery: { channel: 'sms' } })
      const running = await world.send({ pin: { to: NUMBER } })
      const attemptId = await world.claimAndBegin(running.deliveryId)
      const first = await store.erase(NUMBER)
      assert.deepEqual([first.pins, first.inProgress], [1, 2])
      assert.equal(await store.loadPin(world.accountId, over.pinId), undefined)
      assert.equal((await store.loadPin(world.accountId, owed.pinId))?.pin.to, NUMBER)
      assert.equal(await world.close(running.deliveryId, { attemptId, chargeMicros: 10 }), true)
      await world.claim({ channel: 'sms' })
      await world.close(owed.deliveryId, { disposition: 'sms_sent' })
      const second = await store.erase(NUMBER)
      assert.deepEqual([second.pins, second.inProgress], [2, 0])
      assert.equal(await store.ledgerDrift(), 0)
    })

    test('nobody is a person without PINs; a number that only begins alike is another person', async () => {
      await called(world, START, `${NUMBER}9`)
      const counted = [limit('a', 'check:app', 1, DAY, `${NUMBER}9`)]
      await world.send({ counted })
      assert.deepEqual(await store.erase(NUMBER), { ...NOTHING, counters: 0, inProgress: 0 })
      assert.equal((await store.admitSend(world.sendOf({ counted }))).kind, 'limited')
    })

    test('a person with hundreds of PINs is forgotten whole', async () => {
      const free = { pin: { to: NUMBER }, delivery: { reserveMicros: 0 } }
      await Promise.all(Array.from({ length: 230 }, () => world.send(free)))
      for (let i = 0; i < 3; i++) for (const { delivery } of await world.claim()) await world.close(delivery.deliveryId)
      await world.send(free)
      const erased = await store.erase(NUMBER)
      assert.deepEqual([erased.pins, erased.events, erased.inProgress], [230, 230, 1])
    })

    test('after a rotation old numbers are read and found, and sealed anew piece by piece', async () => {
      const place = await engine.freshPlace()
      const first = await engine.open(place, { numbers: sealedNumbers([OLD_KEY]) })
      const old = await makeWorld(first)
      const { accountId, applicationId } = old
      const idempotency = { key: newId('idem'), fingerprint: 'f' }
      const sent = [await old.send({ pin: { to: NUMBER }, idempotency })]
      for (let i = 0; i < 4; i++) sent.push(await old.send({ pin: { to: NUMBER } }))
      await first.close()

      const rotated = await engine.open(place, { numbers: sealedNumbers([NEW_KEY, OLD_KEY]) })
      const here = old.on(rotated, old.nodeId)
      sent.push(await here.send({ pin: { to: NUMBER } }))
      for (const { pinId } of sent) assert.equal((await rotated.loadPin(accountId, pinId))?.pin.to, NUMBER)
      assert.equal((await rotated.verifications({ accountId, applicationId, to: NUMBER })).length, 6)
      const repeated = await rotated.admitSend(here.sendOf({ idempotency }))
      assert.deepEqual(repeated, {
        kind: 'repeated',
        ...(sent[0] && { deliveryId: sent[0].deliveryId, pinId: sent[0].pinId }),
      })
      let resealed = 0
      let rounds = 0
      for (let after: string | undefined = ''; after !== undefined; rounds++) {
        const done: { resealed: number; last?: string } = await rotated.resealNumbers({ after, most: 2 })
        assert.ok(done.resealed <= 2)
        resealed += done.resealed
        after = done.last
      }
      assert.equal(resealed, 5)
      assert.ok(rounds >= 3 && rounds <= 4)
      assert.deepEqual(await rotated.resealNumbers({ after: '', most: 100 }), { resealed: 0 })
      await rotated.close()

      const later = await engine.open(place, { numbers: sealedNumbers([NEW_KEY]) })
      for (const { pinId } of sent) assert.equal((await later.loadPin(accountId, pinId))?.pin.to, NUMBER)
      assert.equal((await later.verifications({ accountId, applicationId, to: NUMBER })).length, 6)
      assert.equal((await later.deliveriesOf(accountId, sent[0]!.pinId))[0]?.to, NUMBER)
      await later.close()
    })

    test('a number whose key is gone is an error, not a wrong number; the rest goes on', async () => {
      const place = await engine.freshPlace()
      const first = await engine.open(place, { numbers: sealedNumbers([OLD_KEY]) })
      const old = await makeWorld(first)
      const { pinId } = await old.send()
      await first.close()
      const without = await engine.open(place, { numbers: sealedNumbers([NEW_KEY]) })
      await assert.rejects(without.loadPin(old.accountId, pinId), /old\.key is gone/)
      await assert.rejects(without.resealNumbers({ after: '', most: 10 }), /old\.key is gone/)
      const anew = await old.on(without, old.nodeId).send()
      assert.ok(await without.loadPin(old.accountId, anew.pinId))
      await without.close()
    })

    test('a limit of a number is the number’s: others, and other limits of it, have their own', async () => {
      const key = newId('send-number')
      const counted = (number: string) => [limit('l', key, 1, MINUTE, number)]
      await world.send({ counted: counted(NUMBER) })
      assert.equal((await store.admitSend(world.sendOf({ counted: counted(NUMBER) }))).kind, 'limited')
      await world.send({ counted: counted(OTHER) })
      await world.send({ counted: [limit('l', newId('check'), 1, MINUTE, NUMBER)] })
      await world.send({ counted: [limit('l', key, 1, MINUTE)] })
    })
  })
}
