import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Store } from '../../src/store/types.ts'
import { type Engine, limit, MINUTE, makeWorld, newId, START } from './world.ts'

const TO = '41793026727'

export function checkingContract(engine: Engine): void {
  describe('checking', () => {
    let store: Store
    before(async () => {
      store = await engine.open(await engine.freshPlace())
    })
    after(() => store.close())

    const kinds = (answers: readonly { kind: string }[]) => answers.map(({ kind }) => kind)

    test('the first right guess verifies the PIN, with a pin.verified event', async () => {
      const world = await makeWorld(store)
      const { pinId } = await world.send()
      const before = await store.lastSeq(world.accountId)
      assert.deepEqual(await world.check(pinId, true, { now: START + 5 }), { kind: 'right', first: true, to: TO })
      const { pin } = (await store.loadPin(world.accountId, pinId))!
      assert.equal(pin.verifiedAt, START + 5)
      assert.equal(pin.checks, 1)
      const [event, ...more] = await store.eventsAfter(world.accountId, before, 10)
      assert.equal(event?.kind, 'pin.verified')
      assert.equal(event?.pinId, pinId)
      assert.equal(event?.at, START + 5)
      assert.deepEqual(more, [])
    })

    test('wrong guesses count down, the last leaves none, and after it the right one fails too', async () => {
      const world = await makeWorld(store)
      const { pinId } = await world.send({ pin: { maxChecks: 3 } })
      for (const checksLeft of [2, 1, 0]) {
        assert.deepEqual(await world.check(pinId, false), { kind: 'wrong', checksLeft, to: TO })
      }
      assert.deepEqual(await world.check(pinId, true), { kind: 'exhausted', to: TO })
      assert.deepEqual(await world.check(pinId, false), { kind: 'exhausted', to: TO })
      const { pin } = (await store.loadPin(world.accountId, pinId))!
      assert.equal(pin.checks, 3)
      assert.equal(pin.verifiedAt, undefined)
    })

    test('64 right guesses at once have one first', async () => {
      const world = await makeWorld(store)
      for (const allowMultiple of [true, false]) {
        const { pinId } = await world.send({ pin: { allowMultiple, maxChecks: 100 } })
        const answers = await Promise.all(Array.from({ length: 64 }, () => world.check(pinId, true)))
        assert.equal(answers.filter((answer) => answer.kind === 'right' && answer.first).length, 1)
        const others = answers.filter((answer) => !(answer.kind === 'right' && answer.first))
        assert.deepEqual(new Set(kinds(others)), new Set([allowMultiple ? 'right' : 'used']))
        const events = await store.eventsAfter(world.accountId, 0, 1000)
        assert.equal(events.filter((event) => event.pinId === pinId).length, 1)
      }
    })

    test('64 wrong guesses at once use up exactly the checks that there are', async () => {
      const world = await makeWorld(store)
      const { pinId } = await world.send({ pin: { maxChecks: 5 } })
      const answers = await Promise.all(Array.from({ length: 64 }, () => world.check(pinId, false)))
      const left = answers.flatMap((answer) => (answer.kind === 'wrong' ? [answer.checksLeft] : []))
      assert.deepEqual(left.sort(), [0, 1, 2, 3, 4])
      assert.equal(kinds(answers).filter((kind) => kind === 'exhausted').length, 59)
    })

    test('where many verifications are allowed, a right guess after the first is free and a wrong one counts', async () => {
      const world = await makeWorld(store)
      const { pinId } = await world.send({ pin: { maxChecks: 2, allowMultiple: true } })
      await world.check(pinId, true)
      assert.deepEqual(await world.check(pinId, true), { kind: 'right', first: false, to: TO })
      assert.deepEqual(await world.check(pinId, true), { kind: 'right', first: false, to: TO })
      assert.deepEqual(await world.check(pinId, false), { kind: 'wrong', checksLeft: 0, to: TO })
      assert.deepEqual(await world.check(pinId, true), { kind: 'exhausted', to: TO })
      assert.equal((await store.loadPin(world.accountId, pinId))?.pin.verifiedAt, START)
    })

    test('where one verification is allowed, nothing is right after it', async () => {
      const world = await makeWorld(store)
      const { pinId } = await world.send({ pin: { allowMultiple: false } })
      await world.check(pinId, true)
      assert.deepEqual(await world.check(pinId, true), { kind: 'used', to: TO })
      assert.deepEqual(await world.check(pinId, false), { kind: 'used', to: TO })
      assert.equal((await store.loadPin(world.accountId, pinId))?.pin.checks, 1)
    })

    test('at the end of its life a PIN is expired for right and wrong alike, and no check is counted', async () => {
      const world = await makeWorld(store)
      const { pinId } = await world.send()
      await world.check(pinId, false)
      const now = START + 15 * MINUTE
      assert.deepEqual(await world.check(pinId, true, { now }), { kind: 'expired', checksLeft: 2, to: TO })
      assert.deepEqual(await world.check(pinId, false, { now }), { kind: 'expired', checksLeft: 2, to: TO })
      assert.equal((await world.check(pinId, true, { now: now - 1 })).kind, 'right')
      assert.equal((await world.check(pinId, true, { now })).kind, 'expired', 'also where it was verified in time')
    })

    test('a check past the verify limit is refused and uses up nothing', async () => {
      const world = await makeWorld(store)
      const { pinId } = await world.send()
      const counted = [limit('verifyPinLimit', newId('counter'), 1, 3000)]
      assert.equal((await world.check(pinId, false, { counted })).kind, 'wrong')
      const refused = await world.check(pinId, true, { counted, now: START + 1000 })
      assert.deepEqual(refused, { kind: 'limited', name: 'verifyPinLimit', retryAfterMs: 2000 })
      const { pin } = (await store.loadPin(world.accountId, pinId))!
      assert.equal(pin.checks, 1)
      assert.equal(pin.verifiedAt, undefined)
      assert.equal((await world.check(pinId, true, { counted, now: START + 3000 })).kind, 'right')
    })

    test('a check refused by its second limit gives the first its count back', async () => {
      const world = await makeWorld(store)
      const { pinId } = await world.send()
      const first = limit('first', newId('counter'), 1, 3000)
      const refused = await world.check(pinId, true, { counted: [first, limit('second', newId('counter'), 0, 3000)] })
      assert.equal(refused.kind === 'limited' && refused.name, 'second')
      assert.equal((await world.check(pinId, true, { counted: [first] })).kind, 'right')
    })

    test('the verify limit counts guesses at expired and used-up PINs, so that nobody learns from them for free', async () => {
      const world = await makeWorld(store)
      const { pinId } = await world.send({ pin: { maxChecks: 1 } })
      await world.check(pinId, false)
      const counted = [limit('verifyPinLimit', newId('counter'), 1, 3000)]
      assert.equal((await world.check(pinId, true, { counted })).kind, 'exhausted')
      assert.equal((await world.check(pinId, true, { counted })).kind, 'limited')
    })

    test('a PIN that is not there counts against no limit', async () => {
      const world = await makeWorld(store)
      const { pinId } = await world.send()
      const counted = [limit('verifyPinLimit', newId('counter'), 1, 3000)]
      assert.deepEqual(await world.check('unknown', true, { counted }), { kind: 'not_found' })
      assert.equal((await world.check(pinId, true, { counted })).kind, 'right')
    })
  })
}
