import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Store } from '../../src/store/types.ts'
import { type Engine, limit, MINUTE, makeWorld, newId, START, type World } from './world.ts'

export function resendingContract(engine: Engine): void {
  describe('resending', () => {
    let store: Store
    before(async () => {
      store = await engine.open(await engine.freshPlace())
    })
    after(() => store.close())

    /** A PIN whose first delivery is over. */
    async function sentPin(world: World, pin: { maxChecks?: number; allowMultiple?: boolean } = {}): Promise<string> {
      const { pinId, deliveryId } = await world.send({ pin })
      await world.claimAndBegin(deliveryId)
      await world.close(deliveryId, { disposition: 'no_answer' })
      return pinId
    }

    async function finish(world: World, deliveryId: string): Promise<void> {
      await world.claimAndBegin(deliveryId)
      await world.close(deliveryId)
    }

    test('a resend owes one more delivery of the same PIN to the same number and counts it', async () => {
      const world = await makeWorld(store)
      const pinId = await sentPin(world)
      const placeholders = { firstName: 'Ada' }
      const resent = await world.resend(pinId, { now: START + MINUTE, delivery: { placeholders, reserveMicros: 300 } })
      assert.equal(resent.kind, 'owed')
      const [, second] = await store.deliveriesOf(world.accountId, pinId)
      assert.equal(second?.deliveryId, resent.kind === 'owed' && resent.deliveryId)
      assert.equal(second?.to, '41793026727')
      assert.equal(second?.createdAt, START + MINUTE)
      const { pin } = (await store.loadPin(world.accountId, pinId))!
      assert.equal(pin.resends, 1)
      assert.equal(pin.lastResendAt, START + MINUTE)
      assert.equal(pin.expiresAt, START + 15 * MINUTE, 'its life is not longer for it')
      assert.equal((await store.balance(world.accountId)).reservedMicros, 300)
      const [job] = await world.claim({ now: START + MINUTE })
      assert.deepEqual(job?.delivery.placeholders, placeholders)
    })

    test('a resend while a call is on its way joins it and counts nothing', async () => {
      const world = await makeWorld(store)
      const { pinId, deliveryId } = await world.send()
      const counted = [limit('l', newId('counter'), 0, MINUTE)]
      const joined = { kind: 'joined', deliveryId, pinId }
      assert.deepEqual(await world.resend(pinId, { counted, maxResends: 0 }), joined)
      await world.claimAndBegin(deliveryId)
      assert.deepEqual(await world.resend(pinId, { counted }), joined)
      assert.equal((await store.loadPin(world.accountId, pinId))?.pin.resends, 0)
      assert.equal((await store.balance(world.accountId)).reservedMicros, 1000)
    })

    test('of many resends at once one is owed and the others join it', async () => {
      const world = await makeWorld(store)
      const pinId = await sentPin(world)
      const answers = await Promise.all(Array.from({ length: 32 }, () => world.resend(pinId)))
      assert.equal(answers.filter(({ kind }) => kind === 'owed').length, 1)
      assert.equal(answers.filter(({ kind }) => kind === 'joined').length, 31)
      const ids = new Set(answers.map((answer) => 'deliveryId' in answer && answer.deliveryId))
      assert.equal(ids.size, 1)
    })

    test('a delivery over another channel is not joined', async () => {
      const world = await makeWorld(store)
      const { pinId } = await world.send({ delivery: { channel: 'sms' } })
      assert.equal((await world.resend(pinId)).kind, 'owed')
    })

    test('an Idempotency-Key that joined a delivery leads to it when it comes again, also after its end', async () => {
      const world = await makeWorld(store)
      const { pinId, deliveryId } = await world.send()
      const idempotency = { key: newId('idem'), fingerprint: 'f' }
      assert.equal((await world.resend(pinId, { idempotency })).kind, 'joined')
      await finish(world, deliveryId)
      assert.deepEqual(await world.resend(pinId, { idempotency }), { kind: 'repeated', deliveryId, pinId })
      const other = { ...idempotency, fingerprint: 'g' }
      assert.deepEqual(await world.resend(pinId, { idempotency: other }), { kind: 'mismatch' })
    })

    test('a repeated request is answered as before even where the PIN has ended since', async () => {
      const world = await makeWorld(store)
      const pinId = await sentPin(world)
      const idempotency = { key: newId('idem'), fingerprint: 'f' }
      const first = await world.resend(pinId, { idempotency })
      assert.equal(first.kind, 'owed')
      await finish(world, first.kind === 'owed' ? first.deliveryId : '')
      const later = await world.resend(pinId, { idempotency, now: START + 16 * MINUTE })
      assert.deepEqual(later, { ...first, kind: 'repeated' })
    })

    test('an expired, used-up or verified PIN is not sent again', async () => {
      const world = await makeWorld(store)
      const expired = await sentPin(world)
      const at = START + 15 * MINUTE
      assert.deepEqual(await world.resend(expired, { now: at }), { kind: 'closed', why: 'expired' })
      assert.equal((await world.resend(expired, { now: at - 1 })).kind, 'owed')
      const exhausted = await sentPin(world, { maxChecks: 1 })
      await world.check(exhausted, false)
      assert.deepEqual(await world.resend(exhausted), { kind: 'closed', why: 'exhausted' })
      for (const allowMultiple of [true, false]) {
        const verified = await sentPin(world, { allowMultiple })
        await world.check(verified, true)
        assert.deepEqual(await world.resend(verified), { kind: 'closed', why: 'verified' })
      }
    })

    test('between two resends lies the cool-down; the first may come at once', async () => {
      const world = await makeWorld(store)
      const pinId = await sentPin(world)
      const first = await world.resend(pinId, { now: START })
      await finish(world, first.kind === 'owed' ? first.deliveryId : '')
      const early = await world.resend(pinId, { now: START + 9_999 })
      assert.deepEqual(early, { kind: 'limited', name: 'resendCoolDown', retryAfterMs: 1 })
      assert.equal((await world.resend(pinId, { now: START + 10_000 })).kind, 'owed')
    })

    test('a PIN is resent so many times and no more: what is left is to wait for its end', async () => {
      const world = await makeWorld(store)
      const pinId = await sentPin(world)
      for (const now of [START, START + MINUTE]) {
        const resent = await world.resend(pinId, { now, maxResends: 2 })
        await finish(world, resent.kind === 'owed' ? resent.deliveryId : '')
      }
      const third = await world.resend(pinId, { now: START + 2 * MINUTE, maxResends: 2 })
      assert.deepEqual(third, { kind: 'limited', name: 'resendsPerPin', retryAfterMs: 13 * MINUTE })
    })

    test('a refused resend leaves nothing behind: no count, no cool-down, no money, no key', async () => {
      const world = await makeWorld(store, { balanceMicros: 1000 })
      const pinId = await sentPin(world)
      const counted = [limit('resendsPerApplication', newId('counter'), 1, MINUTE)]
      const idempotency = { key: newId('idem'), fingerprint: 'f' }
      const dear = await world.resend(pinId, { counted, idempotency, delivery: { reserveMicros: 1001 } })
      assert.deepEqual(dear, { kind: 'no_credit' })
      const closed = { ...limit('resendsPerApplication', newId('counter'), 0, MINUTE) }
      const refused = await world.resend(pinId, { counted: [...counted, closed], idempotency })
      assert.equal(refused.kind, 'limited')
      const { pin } = (await store.loadPin(world.accountId, pinId))!
      assert.equal(pin.resends, 0)
      assert.equal(pin.lastResendAt, undefined)
      assert.equal((await store.balance(world.accountId)).reservedMicros, 0)
      assert.equal((await world.resend(pinId, { counted, idempotency })).kind, 'owed')
    })
  })
}
