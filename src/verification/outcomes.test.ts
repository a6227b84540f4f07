import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../clock.ts'
import { PincallError } from '../errors.ts'
import type { Delivery, StoredEvent } from '../store/types.ts'
import { makeOutcomes } from './outcomes.ts'

/** A delivery's row that a test changes, in a database that it can take away. */
function opened() {
  const clock = new ManualClock()
  const row: Delivery = {
    deliveryId: 'CALL',
    pinId: 'PIN',
    accountId: 'ACME',
    channel: 'voice',
    state: 'claimed',
    to: '41793026727',
    createdAt: 1,
    reservedMicros: 0,
  }
  const state = { away: false, reads: 0, event: () => {} }
  const outcomes = makeOutcomes({
    clock,
    store: {
      async findDelivery(accountId, deliveryId) {
        state.reads++
        if (state.away) throw new PincallError('unavailable', 'The database can not be used at the moment.')
        return accountId === row.accountId && deliveryId === row.deliveryId ? { ...row } : undefined
      },
      onEvent(listener) {
        state.event = () => listener({ deliveryId: 'CALL' } as StoredEvent)
        return () => {}
      },
    },
  })
  const ask = (waitMs: number) => {
    let answer: Partial<Delivery & PincallError> | undefined
    const set = (value: Partial<Delivery & PincallError>) => {
      answer = value
    }
    outcomes.outcomeOf('ACME', 'CALL', waitMs).then(set, set)
    return () => answer
  }
  return { clock, row, state, ask, outcomes }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('whoever waits is answered by the event, and at the end of the wait without one', async () => {
  const { clock, row, state, ask } = opened()
  const [long, short] = [ask(25_000), ask(2500)]
  await clock.advance(2500)
  assert.equal(short()?.disposition, undefined)
  row.disposition = 'heard'
  state.event()
  await turn()
  assert.equal(long()?.disposition, 'heard')
  assert.equal(clock.pending, 0)
})

test('an event of another node that never comes costs a second at most', async () => {
  const { clock, row, ask } = opened()
  const answer = ask(25_000)
  await clock.advance(5000)
  row.disposition = 'busy'
  await clock.advance(1000)
  assert.equal(answer()?.disposition, 'busy')
})

test('a database that goes away meanwhile does not end the wait: the outcome is told when it is back', async () => {
  const { clock, row, state, ask } = opened()
  const answer = ask(25_000)
  await clock.advance(2000)
  state.away = true
  await clock.advance(10_000)
  assert.equal(answer(), undefined)
  row.disposition = 'heard'
  state.away = false
  await clock.advance(1000)
  assert.equal(answer()?.disposition, 'heard')
})

test('where it stays away, what was read last is told; where nothing was ever read, that', async () => {
  const { clock, state, ask } = opened()
  const seen = ask(5000)
  await clock.advance(1000)
  state.away = true
  const unseen = ask(4000)
  await clock.advance(4000)
  assert.equal(seen()?.state, 'claimed')
  assert.equal(unseen()?.code, 'unavailable')
  assert.ok(state.reads < 15, 'and the database was asked once a second')
  assert.equal(clock.pending, 0)
})

test('another account’s call is not found, at once', async () => {
  const { outcomes, clock } = opened()
  await assert.rejects(outcomes.outcomeOf('OTHER', 'CALL', 25_000), { code: 'not_found' })
  assert.equal(clock.pending, 0)
})
