import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sealedNumbers } from '../../src/store/numbers.ts'
import type { Admission, Counted, Job, Store, StoredEvent } from '../../src/store/types.ts'
import {
  DAY,
  type Engine,
  LEASE_MS,
  limit,
  MINUTE,
  makeWorld,
  NEW_KEY,
  newId,
  OLD_KEY,
  START,
  type World,
} from './world.ts'

/** Everything that two nodes on one database must agree on while both are busy. */
export function nodesContract(engine: Engine): void {
  describe('two nodes', () => {
    let place: string
    let a: World
    let b: World
    const opened: Store[] = []
    const open = async (options?: Parameters<Engine['open']>[1]) => {
      const store = await engine.open(place, options)
      opened.push(store)
      return store
    }
    beforeEach(async () => {
      place = await engine.freshPlace()
      const [first, second] = [await open(), await open()]
      a = await makeWorld(first)
      b = a.on(second, 'node-b')
    })
    afterEach(async () => {
      for (const each of opened.splice(0)) await each.close()
    })

    /** Does something so many times at once, by turns on one node and on the other. */
    const onBoth = <T>(times: number, deed: (world: World, i: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: times }, (_, i) => deed(i % 2 ? a : b, i)))

    const count = (answers: readonly { kind: string }[], kind: string) =>
      answers.filter((answer) => answer.kind === kind).length

    const freeSend = (world: World, counted: Counted[], now = START): Promise<Admission> =>
      world.store.admitSend(world.sendOf({ counted, now, delivery: { reserveMicros: 0 } }))

    /** A counter stands at exactly so many: one less would be full, and there is room up to one more. */
    async function assertCounted(counter: Counted, expected: number, now = START): Promise<void> {
      assert.equal((await freeSend(a, [{ ...counter, count: expected }], now)).kind, 'limited')
      assert.equal((await freeSend(b, [{ ...counter, count: expected + 1 }], now)).kind, 'owed')
    }

    async function assertSound(): Promise<void> {
      assert.equal(await a.store.ledgerDrift(), 0)
      assert.deepEqual(await a.store.balance(a.accountId), await b.store.balance(b.accountId))
    }

    test('what one writes the other reads', async () => {
      const { pinId, deliveryId } = await a.send()
      assert.deepEqual(await b.store.loadPin(b.accountId, pinId), await a.store.loadPin(a.accountId, pinId))
      assert.equal((await b.resend(pinId)).kind, 'joined')
      await b.claimAndBegin(deliveryId)
      await b.close(deliveryId, { chargeMicros: 5 })
      assert.equal((await a.store.findDelivery(a.accountId, deliveryId))?.disposition, 'heard')
      assert.deepEqual(await a.store.eventsAfter(a.accountId, 0, 10), await b.store.eventsAfter(b.accountId, 0, 10))
      await assertSound()
    })

    test('an account made by both at once has one opening balance; a value remembered by both is one', async () => {
      const account = { accountId: newId('account'), name: 'Acme', createdAt: START }
      await onBoth(8, ({ store }) => store.ensureAccount(account, 700))
      assert.equal((await a.store.balance(account.accountId)).balanceMicros, 700)
      await onBoth(20, ({ store }) => store.topUp(account.accountId, 1, 'card', START))
      assert.equal((await b.store.balance(account.accountId)).balanceMicros, 720)
      const told = await onBoth(8, ({ store }, i) => store.rememberOnce('fingerprint', String(i)))
      assert.equal(new Set(told).size, 1)
      await assertSound()
    })

    test('64 right guesses at one PIN have one first', async () => {
      for (const allowMultiple of [true, false]) {
        const { pinId } = await a.send({ pin: { allowMultiple, maxChecks: 100 } })
        const answers = await onBoth(64, (world) => world.check(pinId, true))
        assert.equal(answers.filter((answer) => answer.kind === 'right' && answer.first).length, 1)
        assert.equal(count(answers, allowMultiple ? 'right' : 'used'), allowMultiple ? 64 : 63)
        assert.equal((await a.store.loadPin(a.accountId, pinId))?.pin.checks, 1)
        const events = await b.store.eventsAfter(b.accountId, 0, 1000)
        assert.equal(events.filter((event) => event.pinId === pinId).length, 1)
      }
    })

    test('64 guesses at one PIN, right and wrong, are counted one by one', async () => {
      const { pinId } = await a.send({ pin: { maxChecks: 100 } })
      const answers = await onBoth(64, (world, i) => world.check(pinId, i % 4 > 1))
      assert.equal(answers.filter((answer) => answer.kind === 'right' && answer.first).length, 1)
      assert.equal(count(answers, 'wrong'), 32)
      assert.equal((await a.store.loadPin(a.accountId, pinId))?.pin.checks, 33)
    })

    test('64 wrong guesses use up exactly the checks that there are', async () => {
      const { pinId } = await a.send({ pin: { maxChecks: 5 } })
      const answers = await onBoth(64, (world) => world.check(pinId, false))
      const left = answers.flatMap((answer) => (answer.kind === 'wrong' ? [answer.checksLeft] : []))
      assert.deepEqual(left.sort(), [0, 1, 2, 3, 4])
      assert.equal(count(answers, 'exhausted'), 59)
      assert.equal((await b.store.loadPin(b.accountId, pinId))?.pin.checks, 5)
    })

    test('500 sends against credit for 100 make exactly 100, and the refused leave no trace', async () => {
      const poor = await makeWorld(a.store, { balanceMicros: 100 * 1000 + 999 })
      const nodes = [poor, poor.on(b.store, 'node-b')]
      const counters = [limit('l', newId('counter'), 10_000, DAY), limit('m', newId('counter'), 10_000, DAY, '4179')]
      const sends = Array.from({ length: 500 }, () => poor.sendOf({ counted: counters }))
      const answers = await Promise.all(sends.map((send, i) => nodes[i % 2]!.store.admitSend(send)))
      assert.equal(count(answers, 'owed'), 100)
      assert.equal(count(answers, 'no_credit'), 400)
      for (const [i, { kind }] of answers.entries()) {
        const { pinId } = sends[i]!.pin
        assert.equal((await b.store.loadPin(poor.accountId, pinId)) !== undefined, kind === 'owed')
      }
      assert.deepEqual(await b.store.balance(poor.accountId), { balanceMicros: 100_999, reservedMicros: 100_000 })
      assert.equal((await a.store.backlog()).owed, 100)
      assert.equal(await a.store.ledgerDrift(), 0)
      for (const counter of counters) await assertCounted(counter, 100)
    })

    test('a limit holds over both, and opens for both at its end to the millisecond', async () => {
      const counter = limit('l', newId('counter'), 7, MINUTE)
      const at = (now: number) => onBoth(40, (world) => freeSend(world, [counter], now))
      assert.equal(count(await at(START), 'owed'), 7)
      for (const answer of await at(START + MINUTE - 1)) {
        assert.deepEqual(answer, { kind: 'limited', name: 'l', retryAfterMs: 1 })
      }
      assert.equal(count(await at(START + MINUTE), 'owed'), 7)
      assert.equal(count(await at(START + 2 * MINUTE - 1), 'owed'), 0)
    })

    test('where requests of both fall on either side of a window’s end, one window’s worth goes through', async () => {
      const counter = limit('l', newId('counter'), 7, MINUTE)
      for (let i = 0; i < 7; i++) await freeSend(a, [counter])
      const answers = await onBoth(64, (world, i) => freeSend(world, [counter], START + MINUTE - (i % 4 > 1 ? 1 : 0)))
      assert.equal(count(answers, 'owed'), 7)
      await assertCounted(counter, 7, START + MINUTE + 1)
    })

    test('of several counters, a later one that refuses leaves the earlier ones as they were', async () => {
      const wide = [limit('a', newId('counter'), 1000, DAY), limit('b', newId('counter'), 1000, DAY)]
      const narrow = limit('c', newId('counter'), 3, DAY)
      const answers = await onBoth(60, (world) => freeSend(world, [...wide, narrow]))
      assert.equal(count(answers, 'owed'), 3)
      assert.equal(count(answers, 'limited'), 57)
      for (const counter of wide) await assertCounted(counter, 3)
      await assertCounted(narrow, 3)
      assert.deepEqual((await a.store.backlog()).owed, 3 + 3)
    })

    test('of several counters, those of a check that a later one refuses are as they were', async () => {
      const { pinId } = await a.send({ pin: { maxChecks: 100 } })
      const wide = limit('a', newId('counter'), 1000, DAY)
      const narrow = limit('b', newId('counter'), 3, DAY)
      const answers = await onBoth(40, (world) => world.check(pinId, false, { counted: [wide, narrow] }))
      assert.equal(count(answers, 'wrong'), 3)
      assert.equal(count(answers, 'limited'), 37)
      assert.equal((await a.store.loadPin(a.accountId, pinId))?.pin.checks, 3)
      await assertCounted(wide, 3)
    })

    test('an Idempotency-Key used by both at once gives one delivery and one answer', async () => {
      const idempotency = { key: newId('idem'), fingerprint: 'f' }
      const counter = limit('l', newId('counter'), 1000, DAY)
      const answers = await onBoth(40, (world) =>
        world.store.admitSend(world.sendOf({ idempotency, counted: [counter] })),
      )
      assert.equal(count(answers, 'owed'), 1)
      assert.equal(count(answers, 'repeated'), 39)
      const ids = answers.map((answer) => 'deliveryId' in answer && `${answer.deliveryId} ${answer.pinId}`)
      assert.equal(new Set(ids).size, 1)
      assert.deepEqual(await a.store.backlog(), { owed: 1, claimed: 0 })
      assert.equal((await b.store.balance(b.accountId)).reservedMicros, 1000)
      await assertCounted(counter, 1)
    })

    test('an Idempotency-Key used by both for two requests is the first one’s, and a mismatch for the other', async () => {
      const key = newId('idem')
      const answers = await onBoth(40, async (world, i) => {
        const fingerprint = i % 4 > 1 ? 'f' : 'g'
        return { fingerprint, ...(await world.store.admitSend(world.sendOf({ idempotency: { key, fingerprint } }))) }
      })
      const [first, ...others] = answers.filter(({ kind }) => kind === 'owed')
      assert.deepEqual(others, [])
      for (const answer of answers) {
        const expected = answer.fingerprint !== first?.fingerprint ? 'mismatch' : answer === first ? 'owed' : 'repeated'
        assert.equal(answer.kind, expected)
      }
    })

    test('of resends by both at once one is owed, and the others lead to it', async () => {
      for (const idempotency of [undefined, { key: newId('idem'), fingerprint: 'f' }]) {
        const { pinId, deliveryId } = await a.send()
        await a.claimAndBegin(deliveryId)
        await a.close(deliveryId)
        const answers = await onBoth(32, (world) => world.resend(pinId, { ...(idempotency && { idempotency }) }))
        assert.equal(count(answers, 'owed'), 1)
        assert.equal(count(answers, 'joined') + count(answers, 'repeated'), 31)
        const ids = answers.map((answer) => 'deliveryId' in answer && answer.deliveryId)
        assert.equal(new Set(ids).size, 1)
        assert.equal((await b.store.loadPin(b.accountId, pinId))?.pin.resends, 1)
      }
    })

    test('both claim at once: each delivery is had by one', async () => {
      await onBoth(120, (world) => world.send())
      const claimAll = async (world: World): Promise<Job[]> => {
        const jobs: Job[] = []
        while ((await world.store.backlog()).owed > 0) jobs.push(...(await world.claim({ most: 7 })))
        return jobs
      }
      const jobs = (await Promise.all([claimAll(a), claimAll(b), claimAll(a), claimAll(b)])).flat()
      assert.equal(jobs.length, 120)
      assert.equal(new Set(jobs.map(({ delivery }) => delivery.deliveryId)).size, 120)
      assert.deepEqual(await a.store.backlog(), { owed: 0, claimed: 120 })
    })

    test('of attempts that both begin at one delivery none but the holder’s begins', async () => {
      const { deliveryId } = await a.send()
      await b.claim()
      const answers = await onBoth(20, (world) => world.tryToBegin(deliveryId))
      assert.equal(count(answers, 'begun'), 1)
      assert.equal((await a.store.attemptsOf(deliveryId)).length, 1)
    })

    test('a lease that was taken over: the slow node’s true end is recorded once, and the money is right', async () => {
      const { deliveryId } = await a.send({ delivery: { reserveMicros: 500 } })
      const attemptId = await a.claimAndBegin(deliveryId)
      const now = START + LEASE_MS
      assert.deepEqual(await b.store.look(now), { owed: [], overdue: true })
      assert.equal((await b.store.recover({ nodeId: 'node-b', all: false, now })).abandoned.length, 1)
      const end = { attemptId, nodeId: a.nodeId, chargeMicros: 120, now: now + 1 }
      const closes = await onBoth(10, (world) => world.close(deliveryId, end))
      assert.equal(closes.filter(Boolean).length, 1)
      assert.equal((await b.store.findDelivery(b.accountId, deliveryId))?.disposition, 'heard')
      const kinds = (await b.store.eventsAfter(b.accountId, 0, 10)).map(({ kind }) => kind)
      assert.deepEqual(kinds, ['delivery.closed', 'delivery.corrected'])
      assert.deepEqual(await b.store.balance(b.accountId), { balanceMicros: 1_000_000 - 120, reservedMicros: 0 })
      await assertSound()
    })

    test('where a call ends in the moment it is given up, its true end stands and is charged once', async () => {
      const calls: { deliveryId: string; attemptId: string }[] = []
      for (let i = 0; i < 24; i++) {
        const { deliveryId } = await a.send()
        await a.claim()
        calls.push({ deliveryId, attemptId: await a.begin(deliveryId) })
      }
      const now = START + LEASE_MS
      const recovering = Array.from({ length: 4 }, () => b.store.recover({ nodeId: 'node-b', all: false, now }))
      const closing = calls.map(({ deliveryId, attemptId }) =>
        a.close(deliveryId, { attemptId, chargeMicros: 50, now }),
      )
      const closed = await Promise.all(closing)
      const abandoned = (await Promise.all(recovering)).flatMap((each) => each.abandoned)
      assert.equal(closed.filter(Boolean).length, 24)
      assert.equal(new Set(abandoned.map(({ deliveryId }) => deliveryId)).size, abandoned.length)
      for (const { deliveryId } of calls) {
        const delivery = await a.store.findDelivery(a.accountId, deliveryId)
        assert.equal(delivery?.disposition, 'heard')
        assert.equal(delivery?.chargedMicros, 50)
      }
      const events = await a.store.eventsAfter(a.accountId, 0, 100)
      assert.equal(events.filter(({ kind }) => kind === 'delivery.closed').length, 24)
      assert.equal(events.filter(({ kind }) => kind === 'delivery.corrected').length, abandoned.length)
      assert.deepEqual(await b.store.balance(b.accountId), { balanceMicros: 1_000_000 - 24 * 50, reservedMicros: 0 })
      await assertSound()
    })

    test('a delivery given up by one and begun by none is carried out by the other', async () => {
      const { deliveryId } = await a.send()
      await a.claim()
      const now = START + LEASE_MS
      const [first, second] = await Promise.all([
        b.store.recover({ nodeId: 'node-b', all: false, now }),
        a.store.recover({ nodeId: a.nodeId, all: false, now }),
      ])
      assert.equal(first.requeued + second.requeued, 1)
      assert.equal((await b.claim({ now })).length, 1)
      assert.equal((await a.tryToBegin(deliveryId, { now })).kind, 'lost')
      assert.equal((await b.tryToBegin(deliveryId, { now })).kind, 'begun')
    })

    test('what a trunk may carry and begin holds over both', async () => {
      await onBoth(60, (world) => world.send())
      const own = new Map([
        [a, (await a.claim({ most: 30 })).map(({ delivery }) => delivery.deliveryId)],
        [b, (await b.claim({ most: 30 })).map(({ delivery }) => delivery.deliveryId)],
      ])
      const begin = (trunk: string, limits: { callsPerSecond: number; concurrency: number }) =>
        onBoth(60, (world, i) => world.tryToBegin(own.get(world)![i >> 1]!, { trunk, limits }))
      const wide = await begin('wide', { callsPerSecond: 1000, concurrency: 11 })
      assert.equal(count(wide, 'begun'), 11)
      assert.equal(count(wide, 'full'), 49)
      const fast = await begin('fast', { callsPerSecond: 13, concurrency: 1000 })
      assert.equal(count(fast, 'begun'), 13)
      assert.equal(count(fast, 'lost'), 11)
      assert.equal(fast.filter((answer) => answer.kind === 'begun' && answer.atRateLimit).length, 1)
    })

    test('events are numbered without gaps while both write, and readers with a cursor miss none', async () => {
      const pins = await onBoth(160, async (world) => (await world.send({ delivery: { reserveMicros: 0 } })).pinId)
      const heard: StoredEvent[] = []
      for (const { store } of [a, b]) store.onEvent((event) => heard.push(event))
      let writing = true
      const read = async (world: World): Promise<StoredEvent[]> => {
        const events: StoredEvent[] = []
        for (let quiet = false; !quiet; ) {
          quiet = !writing
          const next = await world.store.eventsAfter(world.accountId, events.length, 7)
          assert.deepEqual(
            next.map(({ seq }) => seq),
            next.map((_, i) => events.length + 1 + i),
          )
          events.push(...next)
          if (next.length > 0) quiet = false
          await nextTurn()
        }
        return events
      }
      const readers = [read(a), read(b), read(a)]
      await onBoth(160, (world, i) => world.check(pins[i]!, true))
      writing = false
      const [first, ...others] = await Promise.all(readers)
      assert.equal(first?.length, 160)
      assert.deepEqual(new Set(first?.map(({ pinId }) => pinId)), new Set(pins))
      for (const other of others) assert.deepEqual(other, first)
      assert.equal(await a.store.lastSeq(a.accountId), 160)
      for (const event of heard) assert.deepEqual(event, first?.[event.seq - 1])
    })

    test('prune, erase and reseal go on beside traffic, and harm none of it', async () => {
      const GONE = '41790001122'
      const STAYS = '41790003344'
      const called = async (world: World, to: string, now: number) => {
        const sent = await world.send({ pin: { to }, now })
        await world.claim({ now })
        const attemptId = newId('attempt')
        if ((await world.tryToBegin(sent.deliveryId, { attemptId, now })).kind === 'begun') {
          await world.close(sent.deliveryId, { attemptId, chargeMicros: 10, now })
        }
        return sent
      }
      const old: { pinId: string; deliveryId: string }[] = []
      for (let i = 0; i < 120; i++) old.push(await called(i % 2 ? a : b, i % 3 ? STAYS : GONE, START + i))
      const first = await open({ numbers: sealedNumbers([NEW_KEY, OLD_KEY]) })
      const second = await open({ numbers: sealedNumbers([NEW_KEY, OLD_KEY]) })
      const nodes = [a.on(first, 'node-c'), b.on(second, 'node-d')] // after a rotation; a and b do nothing more
      const now = START + 2 * DAY

      async function resealAll(): Promise<void> {
        for (let after: string | undefined = ''; after !== undefined; ) {
          const done: { last?: string } = await first.resealNumbers({ after, most: 30 })
          after = done.last
        }
      }
      const traffic = Array.from({ length: 80 }, async (_, i) => {
        const world = nodes[i % 2]!
        const { pinId } = await world.send({ pin: { to: i % 2 ? STAYS : GONE }, now })
        assert.equal((await world.check(pinId, true, { now })).kind, 'right')
        return pinId
      })
      await Promise.all([
        ...traffic,
        first.erase(GONE),
        second.prune({ accountId: a.accountId, before: START + DAY, most: 50 }),
        first.prune({ accountId: a.accountId, before: START + DAY, most: 50 }),
        resealAll(),
        first.sweep(now),
        second.sweep(now),
      ])
      const fresh = await Promise.all(traffic)
      for (const [i, pinId] of fresh.entries()) {
        assert.equal((await first.loadPin(a.accountId, pinId))?.pin.to, i % 2 ? STAYS : GONE) // its delivery is open
      }
      await Promise.all([resealAll(), second.prune({ accountId: a.accountId, before: START + DAY, most: 1000 })])
      for (const { pinId } of old) assert.equal(await second.loadPin(a.accountId, pinId), undefined)
      assert.equal(await first.ledgerDrift(), 0)
      assert.equal((await first.balance(a.accountId)).balanceMicros, 1_000_000 - 120 * 10)
      const { applicationId, accountId } = a
      assert.equal((await first.verifications({ accountId, applicationId, to: GONE })).length, 40)
    })
  })
}
