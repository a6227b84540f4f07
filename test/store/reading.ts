import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Disposition, Store, StoredEvent } from '../../src/store/types.ts'
import { DAY, type Engine, limit, MINUTE, makeWorld, newId, START, type World } from './world.ts'

export function readingContract(engine: Engine): void {
  describe('reading back', () => {
    let store: Store
    before(async () => {
      store = await engine.open(await engine.freshPlace())
    })
    after(() => store.close())

    /** A PIN whose only delivery ended so. */
    async function ended(world: World, to: string, disposition: Disposition, now = START): Promise<string> {
      const { pinId, deliveryId } = await world.send({ pin: { to }, now })
      await world.claimAndBegin(deliveryId, now)
      await world.close(deliveryId, { disposition, now })
      return pinId
    }

    test('verifications are listed newest first, with what is known of each', async () => {
      const world = await makeWorld(store)
      const { accountId, applicationId } = world
      const first = await ended(world, '41790000001', 'heard', START)
      await ended(world, '41790000002', 'no_answer', START + 1)
      await world.check(first, true, { now: START + MINUTE })
      assert.deepEqual(await store.verifications({ accountId, applicationId }), [
        { to: '41790000002', verified: false },
        { to: '41790000001', verified: true, verifiedAt: START + MINUTE, sentAt: START },
      ])
    })

    test('verifications are filtered by number, by verified and by sent, alone and together', async () => {
      const world = await makeWorld(store)
      const { accountId, applicationId } = world
      const verified = await ended(world, '1', 'sms_sent', START)
      await ended(world, '2', 'machine', START + 1)
      await ended(world, '3', 'busy', START + 2)
      await ended(world, '1', 'trunk_failed', START + 3)
      await world.check(verified, true)
      const list = async (query: { to?: string; verified?: boolean; sent?: boolean }) =>
        (await store.verifications({ accountId, applicationId, ...query })).map(({ to }) => to).join('')
      assert.equal(await list({}), '1321')
      assert.equal(await list({ to: '1' }), '11')
      assert.equal(await list({ to: '1', verified: true }), '1')
      assert.equal(await list({ verified: false }), '132')
      assert.equal(await list({ sent: true }), '21')
      assert.equal(await list({ sent: false }), '13')
      assert.equal(await list({ sent: true, verified: false }), '2')
      assert.equal(await list({ to: '9' }), '')
      const other = await makeWorld(store)
      assert.deepEqual(await store.verifications({ accountId: other.accountId, applicationId }), [])
    })

    test('events are read from a cursor, in order, so many at a time, by their own account', async () => {
      const mine = await makeWorld(store)
      const other = await makeWorld(store)
      for (let i = 0; i < 4; i++) {
        for (const world of [mine, other]) await world.check((await world.send()).pinId, true)
      }
      const all = await store.eventsAfter(mine.accountId, 0, 100)
      assert.equal(all.length, 4)
      const seqs = all.map(({ seq }) => seq)
      assert.deepEqual(seqs, [1, 2, 3, 4], 'each account has its own numbers, without gaps')
      assert.deepEqual(await store.eventsAfter(mine.accountId, 2, 1), [all[2]])
      assert.equal(await store.lastSeq(mine.accountId), 4)
      assert.equal(await store.lastSeq(other.accountId), 4)
      assert.equal(await store.lastSeq('nobody'), 0)
      assert.deepEqual(await store.eventsAfter(mine.accountId, 4, 100), [])
    })

    test('a listener hears each event once it can be read, until it stops listening', async () => {
      const world = await makeWorld(store)
      const heard: StoredEvent[] = []
      const stop = store.onEvent((event) => heard.push(event))
      const stopBroken = store.onEvent(() => {
        throw new Error('a listener of no use')
      })
      const { pinId } = await world.send()
      await world.check(pinId, true)
      assert.deepEqual(heard, await store.eventsAfter(world.accountId, 0, 10))
      assert.equal(heard.length, 1)
      stop()
      stopBroken()
      await world.check((await world.send()).pinId, true)
      assert.equal(heard.length, 1)
    })

    test('a sweep removes what is over and nothing else', async () => {
      const world = await makeWorld(store)
      const { accountId } = world
      const short = [limit('l', newId('counter'), 1, MINUTE)]
      const long = [limit('l', newId('counter'), 1, 2 * DAY)]
      const idempotency = { key: newId('idem'), fingerprint: 'f' }
      await world.send({ counted: short })
      await world.send({ counted: long, idempotency })
      const tokenHash = newId('token')
      await store.createSession({ tokenHash, accountId, kind: 'oauth', expiresAt: START + 2 * DAY })
      await store.sweep(START + DAY - 1)
      const early = await store.admitSend(world.sendOf({ idempotency }))
      assert.equal(early.kind, 'repeated', 'a key of this day is still known')
      await store.sweep(START + DAY)
      await world.send({ counted: short, now: START }) // in the old window: allowed, since its counter is gone
      assert.equal((await store.admitSend(world.sendOf({ counted: long }))).kind, 'limited')
      await world.send({ idempotency })
      assert.ok(await store.useSession(tokenHash, START + DAY))
      await store.sweep(START + 2 * DAY)
      assert.equal(await store.deleteSession(tokenHash), false)
    })

    test('a sweep reaches all of many', async () => {
      const world = await makeWorld(store)
      const key = (i: number) => `many:${world.accountId}:${i}`
      const counted = Array.from({ length: 5000 }, (_, i) => limit('l', key(i), 1, MINUTE))
      await world.send({ counted })
      await store.sweep(START + MINUTE)
      await world.send({ counted })
    })
  })
}
