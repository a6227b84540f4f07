import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Store } from '../../src/store/types.ts'
import { DAY, type Engine, limit, MINUTE, makeWorld, newId, START } from './world.ts'

export function sendingContract(engine: Engine): void {
  describe('sending', () => {
    let store: Store
    before(async () => {
      store = await engine.open(await engine.freshPlace())
    })
    after(() => store.close())

    test('a send leaves its PIN, an owed delivery and the reserve', async () => {
      const world = await makeWorld(store)
      const send = world.sendOf({
        pin: { placeholders: { firstName: 'Ada' }, allowMultiple: false },
        delivery: { from: '41430000000', reserveMicros: 7000 },
      })
      const { pinId } = send.pin
      const { deliveryId } = send.delivery
      assert.deepEqual(await store.admitSend(send), { kind: 'owed', deliveryId, pinId })
      const loaded = await store.loadPin(world.accountId, pinId)
      assert.deepEqual(loaded?.pin, { ...send.pin, checks: 0, resends: 0 })
      assert.equal(loaded?.application.applicationId, world.applicationId)
      assert.equal(loaded?.template.templateId, world.templateId)
      assert.deepEqual(await store.findDelivery(world.accountId, deliveryId), {
        deliveryId,
        pinId,
        accountId: world.accountId,
        channel: 'voice',
        state: 'owed',
        to: send.pin.to,
        createdAt: START,
        reservedMicros: 7000,
      })
      assert.deepEqual(await store.balance(world.accountId), { balanceMicros: 1_000_000, reservedMicros: 7000 })
    })

    test("another account's PINs and deliveries are not found", async () => {
      const mine = await makeWorld(store)
      const other = await makeWorld(store)
      const { pinId, deliveryId } = await mine.send()
      assert.equal(await store.loadPin(other.accountId, pinId), undefined)
      assert.equal(await store.findDelivery(other.accountId, deliveryId), undefined)
      assert.deepEqual(await store.deliveriesOf(other.accountId, pinId), [])
      assert.deepEqual(await other.resend(pinId), { kind: 'not_found' })
      assert.deepEqual(await other.check(pinId, true), { kind: 'not_found' })
    })

    test('500 sends at once against credit for 100 make exactly 100', async () => {
      const world = await makeWorld(store, { balanceMicros: 100 * 1000 + 999 })
      const sends = Array.from({ length: 500 }, () => world.sendOf())
      const kinds = (await Promise.all(sends.map((send) => store.admitSend(send)))).map(({ kind }) => kind)
      assert.equal(kinds.filter((kind) => kind === 'owed').length, 100)
      assert.equal(kinds.filter((kind) => kind === 'no_credit').length, 400)
      assert.equal((await store.balance(world.accountId)).reservedMicros, 100_000)
      assert.equal(await store.ledgerDrift(), 0)
    })

    test('a send that costs nothing needs no money', async () => {
      const world = await makeWorld(store, { balanceMicros: 0 })
      await world.send({ delivery: { reserveMicros: 0 } })
      assert.equal((await store.admitSend(world.sendOf({ delivery: { reserveMicros: 1 } }))).kind, 'no_credit')
    })

    test('a limit lets so many through in its window and the next one right at its end', async () => {
      const world = await makeWorld(store)
      const counted = [limit('sendPinPerPhoneNumberLimit', newId('counter'), 2, MINUTE)]
      await world.send({ counted, now: START })
      await world.send({ counted, now: START + 10_000 })
      const last = await store.admitSend(world.sendOf({ counted, now: START + MINUTE - 1 }))
      assert.deepEqual(last, { kind: 'limited', name: 'sendPinPerPhoneNumberLimit', retryAfterMs: 1 })
      await world.send({ counted, now: START + MINUTE })
      await world.send({ counted, now: START + MINUTE + 1 })
      const again = await store.admitSend(world.sendOf({ counted, now: START + MINUTE + 2 }))
      assert.equal(again.kind === 'limited' && again.retryAfterMs, MINUTE - 2)
    })

    test('of many sends at once exactly as many as the limit allows are owed', async () => {
      const world = await makeWorld(store)
      const counted = [limit('sendPinPerApplicationLimit', newId('counter'), 7, MINUTE)]
      const sends = Array.from({ length: 64 }, () => store.admitSend(world.sendOf({ counted })))
      const kinds = (await Promise.all(sends)).map(({ kind }) => kind)
      assert.equal(kinds.filter((kind) => kind === 'owed').length, 7)
    })

    test('a limit that allows none refuses the first', async () => {
      const world = await makeWorld(store)
      const counted = [limit('sendPinPerApplicationLimit', newId('counter'), 0, MINUTE)]
      const admission = await store.admitSend(world.sendOf({ counted }))
      assert.deepEqual(admission, { kind: 'limited', name: 'sendPinPerApplicationLimit', retryAfterMs: MINUTE })
    })

    test('a changed limit holds at once, for windows that are running too', async () => {
      const world = await makeWorld(store)
      const key = newId('counter')
      await world.send({ counted: [limit('l', key, 1, DAY)] })
      const refused = await store.admitSend(world.sendOf({ counted: [limit('l', key, 1, DAY)], now: START + MINUTE }))
      assert.equal(refused.kind, 'limited')
      await world.send({ counted: [limit('l', key, 2, DAY)], now: START + MINUTE })
      await world.send({ counted: [limit('l', key, 1, MINUTE)], now: START + MINUTE })
    })

    test('a counter written by a clock far ahead does not hold for ever', async () => {
      const world = await makeWorld(store)
      const counted = [limit('l', newId('counter'), 1, MINUTE)]
      await world.send({ counted, now: START + 365 * DAY })
      await world.send({ counted, now: START })
      const skewed = await store.admitSend(world.sendOf({ counted, now: START - 1 }))
      assert.equal(skewed.kind, 'limited', 'a moment of skew opens no window')
    })

    test('a refusal by the second limit gives the first its count back', async () => {
      const world = await makeWorld(store)
      const first = limit('first', newId('counter'), 2, MINUTE)
      const second = limit('second', newId('counter'), 1, MINUTE)
      await world.send({ counted: [first, second] })
      const refused = await store.admitSend(world.sendOf({ counted: [first, second] }))
      assert.equal(refused.kind === 'limited' && refused.name, 'second')
      await world.send({ counted: [first] })
    })

    test('a refusal for want of credit leaves no counter, PIN, delivery, money or key behind', async () => {
      const world = await makeWorld(store, { balanceMicros: 500 })
      const counted = [limit('l', newId('counter'), 1, MINUTE)]
      const idempotency = { key: newId('idem'), fingerprint: 'f' }
      const send = world.sendOf({ counted, idempotency })
      assert.deepEqual(await store.admitSend(send), { kind: 'no_credit' })
      assert.equal(await store.loadPin(world.accountId, send.pin.pinId), undefined)
      assert.equal(await store.findDelivery(world.accountId, send.delivery.deliveryId), undefined)
      assert.equal((await store.balance(world.accountId)).reservedMicros, 0)
      await store.topUp(world.accountId, 500, 'card', START)
      assert.equal((await store.admitSend(send)).kind, 'owed', 'the very same request may be made again')
    })

    test('a refusal in the middle of many leaves its neighbours alone', async () => {
      const world = await makeWorld(store)
      const broken = world.sendOf({ delivery: { reserveMicros: 0.5 } })
      const results = await Promise.allSettled([
        store.admitSend(world.sendOf()),
        store.admitSend(broken),
        store.admitSend(world.sendOf({ counted: [limit('l', newId('counter'), 0, MINUTE)] })),
        store.admitSend(world.sendOf()),
      ])
      assert.deepEqual(
        results.map((result) => (result.status === 'fulfilled' ? result.value.kind : 'rejected')),
        ['owed', 'rejected', 'limited', 'owed'],
      )
      assert.equal((await store.balance(world.accountId)).reservedMicros, 2000)
      assert.equal(await store.loadPin(world.accountId, broken.pin.pinId), undefined)
      assert.equal(await store.ledgerDrift(), 0)
    })

    test('an Idempotency-Key used 20 times at once gives one delivery', async () => {
      const world = await makeWorld(store)
      const idempotency = { key: newId('idem'), fingerprint: 'f' }
      const counted = [limit('l', newId('counter'), 1, MINUTE)]
      const sends = Array.from({ length: 20 }, () => store.admitSend(world.sendOf({ idempotency, counted })))
      const answers = await Promise.all(sends)
      const [first, ...more] = answers.filter(({ kind }) => kind === 'owed')
      assert.deepEqual(more, [])
      for (const other of answers) if (other !== first) assert.deepEqual(other, { ...first, kind: 'repeated' })
      assert.equal((await store.balance(world.accountId)).reservedMicros, 1000)
    })

    test('an Idempotency-Key with another request is a mismatch; with another account it is another key', async () => {
      const world = await makeWorld(store)
      const other = await makeWorld(store)
      const key = newId('idem')
      await world.send({ idempotency: { key, fingerprint: 'f' } })
      const mismatch = await store.admitSend(world.sendOf({ idempotency: { key, fingerprint: 'g' } }))
      assert.deepEqual(mismatch, { kind: 'mismatch' })
      await other.send({ idempotency: { key, fingerprint: 'f' } })
    })

    test('an Idempotency-Key is forgotten after a day', async () => {
      const world = await makeWorld(store)
      const idempotency = { key: newId('idem'), fingerprint: 'f' }
      await world.send({ idempotency })
      const repeated = await store.admitSend(world.sendOf({ idempotency, now: START + DAY - 1 }))
      assert.equal(repeated.kind, 'repeated')
      const { pinId } = await world.send({ idempotency: { ...idempotency, fingerprint: 'g' }, now: START + DAY })
      const anew = await store.admitSend(
        world.sendOf({ idempotency: { ...idempotency, fingerprint: 'g' }, now: START + DAY + 1 }),
      )
      assert.equal(anew.kind === 'repeated' && anew.pinId, pinId)
    })
  })
}
