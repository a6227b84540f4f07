import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { followEvents } from '../testbed/follow-events.ts'
import { openThreeNodes, type ThreeNodes } from './three-nodes.ts'

describe('a node dies or stands still', () => {
  let three: ThreeNodes
  before(async () => {
    three = await openThreeNodes()
  })
  after(async () => {
    await three?.[Symbol.asyncDispose]()
  })

  /** kill -9, until the test is over. */
  async function killed(place: number): Promise<AsyncDisposable> {
    await three.nodes.kill(place)
    return { [Symbol.asyncDispose]: async () => void (await three.nodes.start(place)) }
  }

  test('killed in mid-call: another ends the call as UNDEFINED, frees the money, and nobody is called again', async () => {
    const { nodes, callFrom, callsOf } = three
    await using call = await callFrom(0, '41793100427')
    const [b, c] = call.others
    await call.reached('ringing')
    const waiting = nodes.node(b).call('POST', `/2fa/1/pin/${call.pinId}/resend/voice`)
    await call.reached('answered')
    await using _down = await killed(call.holder)
    assert.equal((await waiting).body.callStatus, 'UNDEFINED')
    const [ended, ...others] = await callsOf(nodes.node(c), call.pinId)
    assert.deepEqual([ended.state, ended.disposition, others], ['closed', 'abandoned', []])
    await using store = await nodes.store()
    const [{ accountId }] = await store.listAccounts()
    assert.equal((await store.balance(accountId)).reservedMicros, 0)
    assert.equal(await store.ledgerDrift(), 0)
  })

  test('killed after it told the outcome: another closes the call as it was told', async () => {
    const { nodes, phones, callFrom, callsOf } = three
    const to = '41793100527'
    await using call = await callFrom(0, to)
    const [b, c] = call.others
    await using told = await followEvents(nodes.node(b))
    const answer = await nodes.node(c).call('POST', `/2fa/1/pin/${call.pinId}/resend/voice`)
    assert.equal(answer.body.callStatus, 'PROCESSED')
    await using _down = await killed(call.holder)
    assert.equal(phones.calls(to)[0].endedAt, undefined, 'killed while the code was read once more')
    const closed = await told.first(({ name, data }) => name === 'delivery.closed' && data.pinId === call.pinId)
    assert.equal(closed.data.disposition, 'heard')
    const [ended] = await callsOf(nodes.node(c), call.pinId)
    assert.deepEqual([ended.state, ended.callStatus], ['closed', 'PROCESSED'])
  })

  for (const [to, truth] of Object.entries({ '41793100695': 'declined', '41793100698': 'heard' })) {
    test(`stood still beyond its lease: its call is ended as UNDEFINED, then corrected once to ${truth}`, async () => {
      const { nodes, callFrom, callsOf } = three
      await using call = await callFrom(0, to)
      const [b, c] = call.others
      await using told = await followEvents(nodes.node(b))
      await call.reached('ringing')
      const { pid } = nodes.node(call.holder)
      process.kill(pid, 'SIGSTOP')
      try {
        const answer = await nodes.node(b).call('POST', `/2fa/1/pin/${call.pinId}/resend/voice`)
        assert.equal(answer.body.callStatus, 'UNDEFINED')
      } finally {
        process.kill(pid, 'SIGCONT')
      }
      const ofCall = (kind: string) =>
        told.first(({ name, data }) => name === kind && data.pinId === call.pinId, 60_000)
      assert.equal((await ofCall('delivery.closed')).data.disposition, 'abandoned')
      assert.equal((await ofCall('delivery.corrected')).data.disposition, truth)
      const [ended, ...others] = await callsOf(nodes.node(c), call.pinId)
      assert.deepEqual([ended.disposition, ended.attempts.length, others], [truth, 1, []])
      await using store = await nodes.store()
      const [{ accountId }] = await store.listAccounts()
      const events = (await store.eventsAfter(accountId, 0, 1000)).filter(({ pinId }) => pinId === call.pinId)
      assert.deepEqual(
        events.map(({ kind }) => kind),
        ['delivery.closed', 'delivery.corrected'],
      )
      assert.equal(await store.ledgerDrift(), 0)
    })
  }

  test('in all of this no phone rang twice', () => three.assertNobodyRangTwice())
})
