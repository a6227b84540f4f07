import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Delivery } from '../store/index.ts'
import type { Sending } from '../verification/index.ts'
import { ACCOUNT, delivery, openWire } from './testbed.ts'

const PIN = '9C817C6F8AF3D48F9FE553282AFA2B67'
const TO = '41793026727'
const DELIVERY = '5F1C0E7DB21A4B7CA1DE3A2B0C9D8E7F'
const BODY = { applicationId: 'APP', messageId: 'MSG', to: TO }
const owed: Sending = { kind: 'owed', pinId: PIN, to: TO, deliveryId: DELIVERY, joined: false }
type Why = Extract<Sending, { kind: 'refused' }>['why']
const refusal = (why: Why, detail = 'so it is'): Sending => ({
  kind: 'refused',
  pinId: PIN,
  to: TO,
  why,
  detail,
})
/** Verbs that owe whatever is asked. */
const owing = { sendPin: async () => owed, resendPin: async () => owed }

test('version 1 of a call waits for its outcome and tells it; version 2 answers at once', async () => {
  await using wired = await openWire({ ...owing, outcomeOf: async () => delivery({ disposition: 'heard' }) })
  for (const path of ['/2fa/1/pin/voice', `/2fa/1/pin/${PIN}/resend/voice`]) {
    const answer = await wired.call('POST', path, BODY)
    assert.equal(answer.text, `{"to":"${TO}","pinId":"${PIN}","callStatus":"PROCESSED"}`)
    assert.equal(answer.headers.location, `/pincall/1/calls/${DELIVERY}`)
    assert.equal(answer.headers['preference-applied'], undefined)
  }
  assert.deepEqual(wired.asked.at(-1), ['outcomeOf', ACCOUNT, DELIVERY, 25_000])
  const before = wired.asked.length
  for (const path of ['/2fa/2/pin/voice', `/2fa/2/pin/${PIN}/resend/voice`]) {
    const answer = await wired.call('POST', path, BODY)
    assert.equal(answer.text, `{"pinId":"${PIN}","to":"${TO}","callStatus":"PENDING_ACCEPTED"}`)
    assert.equal(answer.headers.location, `/pincall/1/calls/${DELIVERY}`)
  }
  assert.deepEqual(
    wired.asked.slice(before).map(([verb]) => verb),
    ['sendPin', 'resendPin'],
    'nothing was waited for',
  )
})

test('Prefer changes how long either version waits', async () => {
  await using wired = await openWire({ ...owing, outcomeOf: async () => delivery({ disposition: 'busy' }) })
  const table: [
    version: 1 | 2,
    prefer: string,
    status: string,
    waitMs: number | undefined,
    applied: string | undefined,
  ][] = [
    [1, 'respond-async', 'PROCESSING', undefined, 'respond-async'],
    [1, 'wait=3', 'ERROR_USER_BUSY', 3000, 'wait=3'],
    [1, 'wait=600', 'ERROR_USER_BUSY', 120_000, 'wait=120'],
    [1, 'wait=0', 'PROCESSING', undefined, 'wait=0'],
    [1, 'handling=lenient', 'ERROR_USER_BUSY', 25_000, undefined],
    [2, 'wait=60', 'BUSY', 60_000, 'wait=60'],
    [2, 'respond-async, wait=2', 'BUSY', 2000, 'respond-async, wait=2'],
    [2, 'respond-async', 'PENDING_ACCEPTED', undefined, 'respond-async'],
  ]
  for (const [version, prefer, status, waitMs, applied] of table) {
    wired.asked.length = 0
    const answer = await wired.call('POST', `/2fa/${version}/pin/${PIN}/resend/voice`, undefined, { prefer })
    assert.equal(answer.body.callStatus, status, prefer)
    assert.equal(answer.headers['preference-applied'], applied, prefer)
    assert.equal(wired.asked.find(([verb]) => verb === 'outcomeOf')?.[3], waitMs, prefer)
  }
})

test('a call that is still going when the wait ends is PROCESSING', async () => {
  await using wired = await openWire({ ...owing, outcomeOf: async () => delivery() })
  assert.equal((await wired.call('POST', `/2fa/1/pin/${PIN}/resend/voice`)).body.callStatus, 'PROCESSING')
})

test('version 2 tells the outcome of a call that it joined, where it is known', async () => {
  const joined: Sending = { ...owed, joined: true }
  const outcomeOf = async (): Promise<Delivery> => delivery({ disposition: 'machine' })
  await using wired = await openWire({ resendPin: async () => joined, outcomeOf })
  const answer = await wired.call('POST', `/2fa/2/pin/${PIN}/resend/voice`)
  assert.equal(answer.body.callStatus, 'UNDELIVERABLE_NOT_DELIVERED')
  assert.equal(wired.asked[1][3], 0, 'without waiting')
})

test('a call that was refused is told in the words of its version, with nothing to look at', async () => {
  let why: Why = 'closed'
  await using wired = await openWire({ resendPin: async () => refusal(why) })
  const table: [Why, string, string][] = [
    ['closed', 'BAD_REQUEST', 'REJECTED_DESTINATION'],
    ['application_disabled', 'BAD_REQUEST', 'REJECTED_DESTINATION'],
    ['destination', 'BAD_REQUEST', 'REJECTED_DESTINATION'],
    ['no_credit', 'ERROR_NOT_ENOUGH_CREDITS', 'REJECTED_NOT_ENOUGH_CREDITS'],
    ['no_network', 'ERROR_NETWORK_NOT_AVAILABLE', 'REJECTED_NETWORK'],
    ['no_route', 'ERROR_ROUTE_NOT_AVAILABLE', 'REJECTED_ROUTE_NOT_AVAILABLE'],
  ]
  for (const [each, v1, v2] of table) {
    why = each
    const one = await wired.call('POST', `/2fa/1/pin/${PIN}/resend/voice`)
    const two = await wired.call('POST', `/2fa/2/pin/${PIN}/resend/voice`)
    assert.deepEqual([one.status, one.body.callStatus, two.status, two.body.callStatus], [200, v1, 200, v2])
    assert.equal(one.headers.location, undefined)
  }
})
