import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CheckAnswer } from '../verification/index.ts'
import { ACCOUNT, application, delivery, openWire, refused } from './testbed.ts'

const PIN = '9C817C6F8AF3D48F9FE553282AFA2B67'
const TO = '41793026727'

test('a verification answers 200 whether right or wrong', async () => {
  let answer: CheckAnswer = { pinId: PIN, to: TO, verified: true, checksLeft: 7 }
  await using wired = await openWire({ checkPin: async () => answer })
  const base = `"pinId":"${PIN}","msisdn":"${TO}"`
  const table: [Partial<CheckAnswer>, string][] = [
    [{ verified: true, checksLeft: 7 }, `{${base},"verified":true,"attemptsRemaining":0}`],
    [
      { verified: false, checksLeft: 2, error: 'WRONG_PIN' },
      `{${base},"verified":false,"attemptsRemaining":2,"pinError":"WRONG_PIN"}`,
    ],
    [
      { verified: false, checksLeft: 3, error: 'TTL_EXPIRED' },
      `{${base},"verified":false,"attemptsRemaining":3,"pinError":"TTL_EXPIRED"}`,
    ],
    [
      { verified: false, checksLeft: 0, error: 'NO_MORE_PIN_ATTEMPTS' },
      `{${base},"verified":false,"attemptsRemaining":0,"pinError":"NO_MORE_PIN_ATTEMPTS"}`,
    ],
  ]
  for (const [change, text] of table) {
    answer = { pinId: PIN, to: TO, verified: false, checksLeft: 0, ...change }
    for (const version of [1, 2]) {
      const told = await wired.call('POST', `/2fa/${version}/pin/${PIN}/verify`, { pin: '0123' })
      assert.deepEqual([told.status, told.text], [200, text])
    }
  }
  assert.deepEqual(wired.asked[0], ['checkPin', { accountId: ACCOUNT, pinId: PIN, guess: '0123' }])
})

test('a guess must be a text: as a number it would lose its zeros', async () => {
  await using wired = await openWire({})
  for (const body of [
    {},
    { pin: 1598 },
    { pin: '' },
    { pin: null },
    { pin: ['1'] },
    { pin: 'x'.repeat(101) },
    [],
    'true',
  ]) {
    const answer = await wired.call('POST', `/2fa/2/pin/${PIN}/verify`, body)
    assert.equal(answer.status, 400, JSON.stringify(body))
    assert.equal(answer.body.requestError.serviceException.messageId, 'BAD_REQUEST')
  }
  assert.deepEqual(wired.asked, [])
})

test('the delivery status has an entry for each message and call, on both versions', async () => {
  const deliveries = async () => [
    delivery({ channel: 'sms', disposition: 'sms_sent' }),
    delivery({ disposition: 'busy' }),
    delivery({ disposition: 'heard' }),
    delivery(),
  ]
  await using wired = await openWire({ deliveries })
  for (const version of [1, 2]) {
    const answer = await wired.call('GET', `/2fa/${version}/pin/${PIN}/status`)
    assert.deepEqual(answer.body, [
      { status: 'MESSAGE_ACCEPTED', description: 'Message accepted', finalStatus: true },
      { status: 'MESSAGE_NOT_DELIVERED', description: 'Message sent, not delivered', finalStatus: true },
      { status: 'MESSAGE_DELIVERED', description: 'Message sent and delivered', finalStatus: true },
      { status: 'MESSAGE_WAITING_DELIVERY', description: 'Message sent, waiting for delivery', finalStatus: false },
    ])
  }
})

test('verifications are a bare array in version 1 and an object in version 2', async () => {
  const rows = [
    { to: TO, verified: true, verifiedAt: 1_418_364_366_000, sentAt: 1_418_364_246_000 },
    { to: TO, verified: false },
  ]
  await using wired = await openWire({ verifications: async () => rows, application: async () => application() })
  const expected = `[{"msisdn":"${TO}","verified":true,"verifiedAt":1418364366000,"sentAt":1418364246000},{"msisdn":"${TO}","verified":false}]`
  assert.equal((await wired.call('GET', '/2fa/1/applications/APP/verifications')).text, expected)
  const v2 = await wired.call('GET', `/2fa/2/applications/APP/verifications/?msisdn=${TO}`)
  assert.equal(v2.text, `{"verifications":${expected}}`)
})

test('the filters of verifications are read as clients write them', async () => {
  await using wired = await openWire({ verifications: async () => [] })
  const table: [query: string, asked: object][] = [
    ['', {}],
    ['?msisdn=%2241793026727%22', { to: TO }],
    ['?msisdn=%2B41793026727&verified=True', { to: TO, verified: true }],
    ['?msisdn=+41793026727&verified=&sent=', { to: TO }],
    ['?msisdn=41793026727&verified=false&sent=true', { to: TO, verified: false, sent: true }],
    ['?msisdn=&verified=undefined&sent=False', { sent: false }],
    ['?msisdn=undefined', {}],
    ['?msisdn=john%40example.com', { to: 'john@example.com' }],
    ['?unknown=1', {}],
  ]
  for (const [query, asked] of table) {
    wired.asked.length = 0
    assert.equal((await wired.call('GET', `/2fa/1/applications/APP/verifications${query}`)).status, 200, query)
    assert.deepEqual(wired.asked[0][1], { accountId: ACCOUNT, applicationId: 'APP', ...asked }, query)
  }
  for (const query of ['?msisdn=abc', '?verified=maybe', '?msisdn=1&msisdn=2', `?msisdn=${'+'.repeat(99)}x`]) {
    assert.equal((await wired.call('GET', `/2fa/1/applications/APP/verifications${query}`)).status, 400, query)
  }
  for (const query of ['', '?msisdn=', '?msisdn=undefined', '?msisdn=%22%22']) {
    const answer = await wired.call('GET', `/2fa/2/applications/APP/verifications${query}`)
    assert.deepEqual(answer.body, refused('BAD_REQUEST', 'msisdn is required.', { msisdn: ['is required'] }), query)
  }
})
