import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setUp } from '../testbed/running-server.ts'
import { openThreeNodes, type ThreeNodes } from './three-nodes.ts'

describe('three nodes are one Pincall', () => {
  let three: ThreeNodes
  before(async () => {
    three = await openThreeNodes()
  })
  after(async () => {
    await three?.[Symbol.asyncDispose]()
  })

  test('a resend on B joins the call that A is ringing, C tells how it stands, and every answer says how it ended', async () => {
    const { nodes, phones, callFrom, callsOf } = three
    const to = '41793100027'
    await using call = await callFrom(0, to)
    const [b, c] = call.others
    await call.reached('ringing')
    const places = [call.holder, b]
    const answers = places.map((place) => nodes.node(place).call('POST', `/2fa/1/pin/${call.pinId}/resend/voice`))
    const now = (await nodes.node(c).call('GET', call.location)).body
    assert.deepEqual([now.state, now.callStatus], ['claimed', 'PROCESSING'])
    for (const answer of await Promise.all(answers))
      assert.deepEqual(answer.body, { to, pinId: call.pinId, callStatus: 'PROCESSED' })
    assert.equal(phones.calls(to)[0].endedAt, undefined, 'told while the call went on, on both nodes')
    assert.equal((await callsOf(nodes.node(c), call.pinId)).length, 1)
  })

  test('Prefer: wait on B for a call of A is answered while the call still goes on', async () => {
    const { nodes, phones, callFrom } = three
    const to = '41793100127'
    await using call = await callFrom(0, to)
    await call.reached('ringing')
    const path = `/2fa/2/pin/${call.pinId}/resend/voice`
    const answer = await nodes.node(call.others[0]).call('POST', path, {}, { prefer: 'wait=100' })
    assert.equal(answer.body.callStatus, 'DELIVERED_TO_HANDSET')
    assert.equal(phones.calls(to)[0].endedAt, undefined)
  })

  test('one Idempotency-Key on three nodes at once: one PIN, one call, one answer', async () => {
    const { nodes, voice, callsOf } = three
    const body = voice('41793100291')
    const key = { 'idempotency-key': 'order-1' }
    const ask = () => nodes.call('POST', '/2fa/1/pin/voice', body, key)
    const answers = await Promise.all(Array.from({ length: 6 }, ask))
    for (const { status, body } of answers) assert.deepEqual([status, body], [200, answers[0].body])
    assert.equal(answers[0].body.callStatus, 'ERROR_USER_BUSY')
    assert.equal((await callsOf(nodes.node(2), answers[0].body.pinId)).length, 1)
  })

  test('64 right guesses on three nodes at once: one wins', async () => {
    const { nodes, phones } = three
    const { applicationId, messageId } = await setUp(nodes, { configuration: { allowMultiplePinVerifications: false } })
    const to = '41793100327'
    const sent = await nodes.call('POST', '/2fa/1/pin/voice', { applicationId, messageId, to })
    assert.equal(sent.body.callStatus, 'PROCESSED', sent.text)
    const { code: pin } = await phones.waitForPin(to)
    const guess = () => nodes.call('POST', `/2fa/2/pin/${sent.body.pinId}/verify`, { pin })
    const answers = await Promise.all(Array.from({ length: 64 }, guess))
    assert.equal(answers.filter(({ body }) => body.verified).length, 1)
    assert.ok(answers.every(({ status }) => status === 200))
  })

  test('in all of this no phone rang twice', () => three.assertNobodyRangTwice())
})
