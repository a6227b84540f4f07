import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { waitForPin } from '../src/testing.ts'
import { type RunningPincall, setUp, startPincall } from './testbed/running-server.ts'

/** The eleven statuses, each through HTTP and, where a call is placed, real SIP and RTP to a sandbox handset. */

const V2: Record<string, string> = {
  PROCESSING: 'PENDING_ACCEPTED',
  PROCESSED: 'DELIVERED_TO_HANDSET',
  ANSWERED_MACHINE: 'UNDELIVERABLE_NOT_DELIVERED',
  ERROR_USER_BUSY: 'BUSY',
  ERROR_NO_ANSWER: 'NO_ANSWER',
  ERROR_NOT_ENOUGH_CREDITS: 'REJECTED_NOT_ENOUGH_CREDITS',
  ERROR_NETWORK_NOT_AVAILABLE: 'REJECTED_NETWORK',
  ERROR_ROUTE_NOT_AVAILABLE: 'REJECTED_ROUTE_NOT_AVAILABLE',
  BAD_REQUEST: 'REJECTED_DESTINATION',
  ERROR: 'REJECTED_SYSTEM_ERROR',
  UNDEFINED: 'EXPIRED_DLR_UNKNOWN',
}

/** Last two digits → v1 status, disposition. */
const ENDINGS: [ending: string, status: string, disposition: string][] = [
  ['27', 'PROCESSED', 'heard'],
  ['90', 'ANSWERED_MACHINE', 'machine'],
  ['91', 'ERROR_USER_BUSY', 'busy'],
  ['92', 'ERROR_NO_ANSWER', 'no_answer'],
  ['93', 'ERROR_NETWORK_NOT_AVAILABLE', 'number_unknown'],
  ['94', 'ERROR_ROUTE_NOT_AVAILABLE', 'trunk_failed'],
  ['95', 'ERROR_USER_BUSY', 'declined'],
  ['96', 'UNDEFINED', 'lost'],
  ['97', 'PROCESSED', 'heard'],
  ['98', 'PROCESSED', 'heard'],
  ['99', 'ERROR', 'speech_failed'],
]

describe('a resend over voice tells how the call ended', { concurrency: 4 }, () => {
  let pincall: RunningPincall
  let sending: Awaited<ReturnType<typeof setUp>>
  before(async () => {
    pincall = await startPincall({
      config: 'limits: { resendCoolDownS: 0 }\nsandbox: { ringTimeoutS: 3 }\n',
      env: { PINCALL_CALL_WAIT_S: '60' },
    })
    sending = await setUp(pincall)
  })
  after(async () => {
    await pincall?.[Symbol.asyncDispose]()
  })

  for (const [ending, status, disposition] of ENDINGS) {
    test(`a number ending in ${ending}: ${status} on version 1, ${V2[status]} on version 2`, async () => {
      const [to, to2] = [`417930267${ending}`, `417930268${ending}`]
      const [pinId, pinId2] = await Promise.all([sending.sendPin(to), sending.sendPin(to2)])
      const [v1, v2] = await Promise.all([
        pincall.call('POST', `/2fa/1/pin/${pinId}/resend/voice`),
        pincall.call('POST', `/2fa/2/pin/${pinId2}/resend/voice`, {}, { prefer: 'wait=60' }),
      ])
      assert.deepEqual([v1.status, v1.body], [200, { to, pinId, callStatus: status }])
      assert.deepEqual([v2.status, v2.body], [200, { pinId: pinId2, to: to2, callStatus: V2[status] }])
      const calls = await pincall.call('GET', `/pincall/1/pins/${pinId}/calls`)
      assert.match(calls.text, new RegExp(`"disposition":"${disposition}"`))
      if (status !== 'PROCESSED') {
        await assert.rejects(waitForPin(to, { url: pincall.url, channel: 'voice', timeoutS: 0 }), /No code came to/)
        return
      }
      for (const [number, id] of [
        [to, pinId],
        [to2, pinId2],
      ]) {
        const { code } = await waitForPin(number, { url: pincall.url, channel: 'voice' })
        const verified = await pincall.call('POST', `/2fa/1/pin/${id}/verify`, { pin: code })
        assert.equal(verified.body.verified, true, 'what the handset heard is the code')
      }
    })
  }

  test('version 2 answers at once, and the call’s own resource tells the rest', async () => {
    const pinId = await sending.sendPin('41793026731')
    const answer = await pincall.call('POST', `/2fa/2/pin/${pinId}/resend/voice`)
    assert.deepEqual(answer.body, { pinId, to: '41793026731', callStatus: 'PENDING_ACCEPTED' })
    const location = answer.headers.get('location')!
    const before = await pincall.call('GET', location)
    assert.equal(before.body.callStatus, 'PROCESSING')
    const joined = await pincall.call('POST', `/2fa/1/pin/${pinId}/resend/voice`)
    assert.equal(joined.body.callStatus, 'PROCESSED', 'a second resend joins the call that rings')
    const after = await pincall.call('GET', location)
    assert.equal(after.body.callStatus, 'PROCESSED')
    const calls = await pincall.call('GET', '/sandbox/calls?to=41793026731')
    assert.equal(JSON.parse(calls.text).length, 1, 'the phone rang once')
  })

  test('a wait that ends before the call says PROCESSING', async () => {
    const pinId = await sending.sendPin('41793026732')
    const answer = await pincall.call('POST', `/2fa/1/pin/${pinId}/resend/voice`, undefined, { prefer: 'wait=1' })
    assert.equal(answer.body.callStatus, 'PROCESSING')
    assert.equal(answer.headers.get('preference-applied'), 'wait=1')
  })

  test('a number that no country’s plan knows: ERROR_NETWORK_NOT_AVAILABLE without a call', async () => {
    const sent = await pincall.call('POST', '/2fa/1/pin/voice', { ...ids(sending), to: '21012345678' })
    assert.equal(sent.body.callStatus, 'ERROR_NETWORK_NOT_AVAILABLE')
  })

  test('a premium-rate number: BAD_REQUEST and REJECTED_DESTINATION, and nothing is dialled', async () => {
    const v1 = await pincall.call('POST', '/2fa/1/pin/voice', { ...ids(sending), to: '41900123456' })
    const v2 = await pincall.call('POST', '/2fa/2/pin/voice', { ...ids(sending), to: '41900123456' })
    assert.equal(v1.body.callStatus, 'BAD_REQUEST')
    assert.equal(v2.body.callStatus, 'REJECTED_DESTINATION')
    assert.deepEqual((await pincall.call('GET', '/sandbox/calls?to=41900123456')).text, '[]')
  })

  test('a PIN that expired, was used up or verified can not be called: BAD_REQUEST', async () => {
    const short = await setUp(pincall, { configuration: { pinTimeToLive: '1ms', pinAttempts: 1 } })
    const expired = await short.sendPin('41793026733')
    const answer = await pincall.call('POST', `/2fa/1/pin/${expired}/resend/voice`)
    assert.equal(answer.body.callStatus, 'BAD_REQUEST')
    const once = await setUp(pincall, { configuration: { pinAttempts: 1 } })
    const usedUp = await once.sendPin('41793026734')
    await pincall.call('POST', `/2fa/1/pin/${usedUp}/verify`, { pin: 'x' })
    assert.equal((await pincall.call('POST', `/2fa/1/pin/${usedUp}/resend/voice`)).body.callStatus, 'BAD_REQUEST')
    assert.equal(
      (await pincall.call('POST', `/2fa/2/pin/${usedUp}/resend/voice`)).body.callStatus,
      'REJECTED_DESTINATION',
    )
  })
})

const ids = (sending: { applicationId: string; messageId: string }) => ({
  applicationId: sending.applicationId,
  messageId: sending.messageId,
})

test('a balance that can not pay for the longest call: ERROR_NOT_ENOUGH_CREDITS, and nothing is dialled', async () => {
  await using pincall = await startPincall({
    config: 'account: { balance: "0.001" }\nsandbox: { pricePerMinute: "1" }\n',
  })
  const sending = await setUp(pincall)
  const pinId = await sending.sendPin('41793026727')
  const v1 = await pincall.call('POST', `/2fa/1/pin/${pinId}/resend/voice`)
  assert.deepEqual(v1.body, { to: '41793026727', pinId, callStatus: 'ERROR_NOT_ENOUGH_CREDITS' })
  const v2 = await pincall.call('POST', `/2fa/2/pin/${pinId}/resend/voice`)
  assert.equal(v2.body.callStatus, 'REJECTED_NOT_ENOUGH_CREDITS')
  assert.equal((await pincall.call('GET', '/sandbox/calls')).text, '[]')
})

test('no route covers the number: ERROR_ROUTE_NOT_AVAILABLE', async () => {
  const config =
    'trunks: [{ name: closed, host: 127.0.0.1, port: 9 }]\nroutes: [{ prefix: "1", trunks: [closed], caller: "41440000000" }]\n' +
    'sip: { host: 127.0.0.1, port: 0, advertisedHost: 127.0.0.1 }\naccount: { balance: "10" }\n'
  await using pincall = await startPincall({
    config,
    env: { PINCALL_ACCOUNT_PASSWORD: 'a password', PINCALL_SANDBOX: 'off' },
  })
  const { applicationId, messageId } = await setUp(pincall)
  const answer = await pincall.call('POST', '/2fa/1/pin/voice', { applicationId, messageId, to: '41793026727' })
  assert.equal(answer.body.callStatus, 'ERROR_ROUTE_NOT_AVAILABLE')
})
