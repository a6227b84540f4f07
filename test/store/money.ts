import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Store } from '../../src/store/types.ts'
import { type Engine, makeWorld, START, type World } from './world.ts'

/** One thing that somebody does, several at the same time. Amounts are small and money short, so that all refusals occur. */
const deed = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('send'), micros: fc.integer({ min: 0, max: 400 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resend'), micros: fc.integer({ min: 0, max: 400 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('call'), micros: fc.integer({ min: -10, max: 500 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail'), micros: fc.integer({ min: 0, max: 100 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('topUp'), micros: fc.integer({ min: 1, max: 300 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('recover'), micros: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('check'), micros: fc.constant(0) }) },
)
type Deed = { do: string; micros: number }

export function moneyContract(engine: Engine): void {
  describe('money', () => {
    test('whatever races on two nodes, the balances are the ledger and every reserve has a delivery that holds it', async () => {
      const place = await engine.freshPlace()
      const store = await engine.open(place)
      const second = await engine.open(place)
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(deed, { maxLength: 12 }), { maxLength: 12 }), async (rounds) => {
          const world = await makeWorld(store, { balanceMicros: 1000 })
          const nodes = [world, world.on(second, 'node-b')]
          const pins: string[] = []
          for (const deeds of rounds) {
            await Promise.all(deeds.map((each, i) => perform(nodes[i % 2]!, pins, each)))
            assert.equal(await store.ledgerDrift(), 0)
            const { balanceMicros, reservedMicros } = await store.balance(world.accountId)
            assert.ok(reservedMicros >= 0 && reservedMicros <= balanceMicros, 'nothing is promised that is not there')
          }
          await finishAll(store, world)
          assert.equal((await store.balance(world.accountId)).reservedMicros, 0)
          assert.equal(await store.ledgerDrift(), 0)
        }),
        { numRuns: 60 },
      )
      await store.close()
      await second.close()
    })
  })
}

async function perform(world: World, pins: string[], { do: what, micros }: Deed): Promise<void> {
  const { store } = world
  const pinId = pins[micros % pins.length] ?? 'none'
  switch (what) {
    case 'send': {
      const send = world.sendOf({ delivery: { reserveMicros: micros } })
      if ((await store.admitSend(send)).kind === 'owed') pins.push(send.pin.pinId)
      return
    }
    case 'resend':
      await world.resend(pinId, { delivery: { reserveMicros: micros }, coolDownMs: 0 })
      return
    case 'call':
      return callOne(world, micros, true)
    case 'fail':
      return callOne(world, micros, false)
    case 'topUp':
      return store.topUp(world.accountId, micros, 'card', START)
    case 'check':
      await world.check(pinId, false)
      return
    default:
      await store.recover({ nodeId: 'node-c', all: true, now: START })
  }
}

async function callOne(world: World, chargeMicros: number, final: boolean): Promise<void> {
  const [job] = await world.claim({ most: 1 })
  if (!job) return
  const { deliveryId } = job.delivery
  const attemptId = `${deliveryId}-${chargeMicros}`
  await world.tryToBegin(deliveryId, { attemptId })
  await Promise.all([
    world.close(deliveryId, { attemptId, chargeMicros, final }),
    world.close(deliveryId, { attemptId, chargeMicros: chargeMicros + 1 }),
  ])
}

/** Everything that is owed is called, everything that is held is recovered. */
async function finishAll(store: Store, world: World): Promise<void> {
  await store.recover({ nodeId: 'node-c', all: true, now: START })
  for (const { delivery } of await world.claim({ most: 1000 })) await world.close(delivery.deliveryId)
  assert.deepEqual(await store.backlog(), { owed: 0, claimed: 0 })
}
