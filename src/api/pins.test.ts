import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notFound, PincallError } from '../errors.ts'
import type { Sending } from '../verification/index.ts'
import { ACCOUNT, openWire, refused, type Wired } from './testbed.ts'

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
const sends = (wired: Wired) => wired.asked.map(([, asked]) => asked as Record<string, unknown>)

test('a send over SMS answers in the key order of its version', async () => {
  await using wired = await openWire(owing)
  const table: [string, string][] = [
    ['/2fa/1/pin', `{"to":"${TO}","ncStatus":"NC_NOT_CONFIGURED","smsStatus":"MESSAGE_SENT","pinId":"${PIN}"}`],
    ['/2fa/2/pin', `{"pinId":"${PIN}","to":"${TO}","ncStatus":"NC_NOT_CONFIGURED","smsStatus":"MESSAGE_SENT"}`],
    ['/2fa/1/pin?ncNeeded=false', `{"to":"${TO}","smsStatus":"MESSAGE_SENT","pinId":"${PIN}"}`],
    ['/2fa/2/pin?ncNeeded=False', `{"pinId":"${PIN}","to":"${TO}","smsStatus":"MESSAGE_SENT"}`],
  ]
  for (const [path, text] of table) {
    const answer = await wired.call('POST', path, BODY)
    assert.deepEqual([answer.status, answer.text], [200, text], path)
  }
})

test('a send that was decided against says so in the 200', async () => {
  await using wired = await openWire({ sendPin: async () => refusal('no_route') })
  const answer = await wired.call('POST', '/2fa/2/pin', BODY)
  assert.deepEqual([answer.status, answer.body.smsStatus], [200, 'MESSAGE_NOT_SENT'])
})

test('trackDelivery adds an id of the message that looks like a UUID', async () => {
  await using wired = await openWire(owing)
  const answer = await wired.call('POST', '/2fa/2/pin', { ...BODY, trackDelivery: true })
  assert.equal(answer.body.externalMessageId, '5f1c0e7d-b21a-4b7c-a1de-3a2b0c9d8e7f')
  assert.deepEqual(Object.keys(answer.body), ['pinId', 'to', 'ncStatus', 'smsStatus', 'externalMessageId'])
})

test('everything that a send says reaches the verb, in our words', async () => {
  await using wired = await openWire(owing)
  const placeholders = { firstName: 'Anna', shipping: 'x' }
  await wired.call(
    'POST',
    '/2fa/2/pin',
    { ...BODY, from: 'Shop', placeholders, unknown: { a: 1 } },
    { 'idempotency-key': 'once' },
  )
  const [{ to, ...asked }] = sends(wired)
  assert.equal((to as { msisdn: string }).msisdn, TO)
  assert.deepEqual(asked, {
    accountId: ACCOUNT,
    applicationId: 'APP',
    templateId: 'MSG',
    channel: 'sms',
    from: 'Shop',
    placeholders,
    idempotencyKey: 'once',
  })
})

test('a number is taken as clients write it', async () => {
  await using wired = await openWire(owing)
  for (const to of [TO, `+${TO}`, `00${TO}`, `"${TO}"`, ' +41 79 302 67 27 ', Number(TO)]) {
    assert.equal((await wired.call('POST', '/2fa/1/pin', { ...BODY, to })).status, 200, String(to))
  }
  assert.deepEqual(new Set(sends(wired).map((asked) => (asked.to as { msisdn: string }).msisdn)), new Set([TO]))
})

test('what is no number is refused with its field', async () => {
  await using wired = await openWire(owing)
  const sentence = 'must be a phone number in international form, such as 41793026727'
  for (const to of ['', 'nobody', 'john@example.com', '12345', '0793026727x', -5, 1e300, '4'.repeat(16)]) {
    for (const path of ['/2fa/1/pin', '/2fa/2/pin/voice']) {
      const answer = await wired.call('POST', path, { ...BODY, to })
      assert.equal(answer.status, 400, `${path} ${to}`)
      assert.deepEqual(Object.keys(answer.body.requestError.serviceException.validationErrors), ['to'])
    }
  }
  const answer = await wired.call('POST', '/2fa/2/pin', { ...BODY, to: 'nobody' })
  assert.deepEqual(answer.body, refused('BAD_REQUEST', `to ${sentence}.`, { to: [sentence] }))
  assert.deepEqual(wired.asked, [])
})

test('ids that are missing or of the wrong type are all told at once', async () => {
  await using wired = await openWire(owing)
  const answer = await wired.call('POST', '/2fa/1/pin', { messageId: 5, placeholders: 'x' })
  assert.deepEqual(
    [answer.status, answer.body.requestError.serviceException],
    [
      400,
      {
        messageId: 'INVALID_ARGUMENT',
        text: 'applicationId is required; to is required; messageId must be a string; placeholders must be an object.',
        validationErrors: {
          applicationId: ['is required'],
          to: ['is required'],
          messageId: ['must be a string'],
          placeholders: ['must be an object'],
        },
      },
    ],
  )
})

test('placeholders are texts, and the code is not one of them', async () => {
  await using wired = await openWire(owing)
  for (const placeholders of [{ pin: '1' }, { '{{pin}}': '1' }, { PIN: '1' }, { '{name}': 'x' }, { name: 5 }, ['x']]) {
    for (const path of ['/2fa/2/pin', `/2fa/2/pin/${PIN}/resend`, `/2fa/1/pin/${PIN}/resend/voice`]) {
      const answer = await wired.call('POST', path, { ...BODY, placeholders })
      assert.equal(answer.status, 400, JSON.stringify(placeholders))
    }
  }
  assert.deepEqual(wired.asked, [])
})

test('a resend takes a body, an empty one, `{}`, none, and any Content-Type', async () => {
  await using wired = await openWire(owing)
  const bodies: [body: string | undefined, type: string | undefined][] = [
    [undefined, undefined],
    [undefined, 'application/json'],
    ['', 'application/json; charset=UTF-8'],
    ['{}', 'application/json'],
    ['{}', undefined],
    ['{}', 'text/plain'],
    ['{}', 'application/x-www-form-urlencoded'],
    ['{}', 'nonsense'],
    ['\uFEFF{}', 'application/json'],
    ['  ', 'application/xml'],
    ['{"placeholders":null,"trackDelivery":null}', 'application/json'],
  ]
  for (const path of ['resend', 'resend/voice']) {
    for (const version of [1, 2]) {
      for (const [payload, type] of bodies) {
        const answer = await wired.api.inject({
          method: 'POST',
          url: `/2fa/${version}/pin/${PIN}/${path}`,
          headers: {
            authorization: 'App manage-key-0000000000',
            prefer: 'respond-async',
            ...(type && { 'content-type': type }),
          },
          ...(payload !== undefined && { payload }),
        })
        assert.equal(answer.statusCode, 200, `${path} ${version} ${JSON.stringify(payload)} ${type}: ${answer.body}`)
      }
    }
  }
  assert.deepEqual(sends(wired)[0], { accountId: ACCOUNT, pinId: PIN, channel: 'sms' })
})

test('a resend over SMS answers as a send does', async () => {
  await using wired = await openWire(owing)
  const v1 = await wired.call('POST', `/2fa/1/pin/${PIN}/resend`)
  const v2 = await wired.call(
    'POST',
    `/2fa/2/pin/${PIN}/resend`,
    { placeholders: { a: 'b' } },
    { 'idempotency-key': 'k' },
  )
  assert.equal(v1.text, `{"to":"${TO}","ncStatus":"NC_NOT_CONFIGURED","smsStatus":"MESSAGE_SENT","pinId":"${PIN}"}`)
  assert.equal(v2.text, `{"pinId":"${PIN}","to":"${TO}","ncStatus":"NC_NOT_CONFIGURED","smsStatus":"MESSAGE_SENT"}`)
  assert.deepEqual(sends(wired)[1], {
    accountId: ACCOUNT,
    pinId: PIN,
    channel: 'sms',
    placeholders: { a: 'b' },
    idempotencyKey: 'k',
  })
})

test('a resend over SMS of a PIN that is over is refused in words', async () => {
  await using wired = await openWire({ resendPin: async () => refusal('closed', 'the PIN has expired') })
  const text = 'The PIN can not be sent again, because the PIN has expired: send a new one.'
  const v1 = await wired.call('POST', `/2fa/1/pin/${PIN}/resend`)
  const v2 = await wired.call('POST', `/2fa/2/pin/${PIN}/resend`)
  assert.deepEqual([v1.status, v1.body], [400, refused('INVALID_ARGUMENT', text)])
  assert.deepEqual([v2.status, v2.body], [400, refused('BAD_REQUEST', text)])
})

test('a resend over SMS of a disabled application is refused, one without credit is not sent', async () => {
  let why: Why = 'application_disabled'
  await using wired = await openWire({ resendPin: async () => refusal(why) })
  assert.equal((await wired.call('POST', `/2fa/2/pin/${PIN}/resend`)).status, 400)
  why = 'no_credit'
  assert.equal((await wired.call('POST', `/2fa/2/pin/${PIN}/resend`)).body.smsStatus, 'MESSAGE_NOT_SENT')
})

test('limits are told with the word limit, a 429 and a Retry-After rounded up', async () => {
  const limited = async (): Promise<never> => {
    throw new PincallError('limited', 'The limit verifyPinLimit is reached: try again in 3 s.', { retryAfterMs: 2001 })
  }
  await using wired = await openWire({ sendPin: limited, resendPin: limited, checkPin: limited })
  for (const [version, messageId] of [
    [1, 'THROTTLE_EXCEPTION'],
    [2, 'TOO_MANY_REQUESTS'],
  ] as const) {
    for (const path of ['pin', 'pin/voice', `pin/${PIN}/resend`, `pin/${PIN}/resend/voice`, `pin/${PIN}/verify`]) {
      const answer = await wired.call('POST', `/2fa/${version}/${path}`, { ...BODY, pin: '1' })
      assert.deepEqual([answer.status, answer.headers['retry-after']], [429, '3'], path)
      assert.deepEqual(answer.body, refused(messageId, 'The limit verifyPinLimit is reached: try again in 3 s.'))
    }
  }
})

test('an Idempotency-Key must be printable, and another request under it is refused', async () => {
  const mismatch = async (): Promise<never> => {
    throw new PincallError('idempotency_mismatch', 'This Idempotency-Key was used before: take a new one.')
  }
  await using wired = await openWire({ sendPin: mismatch })
  for (const key of ['', 'x'.repeat(256), 'tab\there', 'ünï']) {
    const answer = await wired.call('POST', '/2fa/2/pin', BODY, { 'idempotency-key': key })
    assert.equal(answer.status, 400, key)
    assert.deepEqual(Object.keys(answer.body.requestError.serviceException.validationErrors), ['idempotency-key'])
  }
  assert.equal((await wired.call('POST', '/2fa/2/pin', BODY, { 'idempotency-key': 'x'.repeat(255) })).status, 422)
})

test('ids that are unknown, or another account’s, are 404 in the words of the version', async () => {
  const lost = async (): Promise<never> => {
    throw notFound('The PIN')
  }
  await using wired = await openWire({
    sendPin: lost,
    resendPin: lost,
    checkPin: lost,
    deliveries: lost,
    verifications: lost,
  })
  for (const [version, messageId] of [
    [1, 'RESOURCE_NOT_FOUND'],
    [2, 'NOT_FOUND'],
  ] as const) {
    const table: [string, string, object?][] = [
      ['POST', 'pin', BODY],
      ['POST', 'pin/voice', BODY],
      ['POST', `pin/${PIN}/resend`],
      ['POST', `pin/${PIN}/resend/voice`],
      ['POST', `pin/${PIN}/verify`, { pin: '1' }],
      ['GET', `pin/${PIN}/status`],
      ['GET', `applications/APP/verifications?msisdn=${TO}`],
    ]
    for (const [method, path, body] of table) {
      const answer = await wired.call(method, `/2fa/${version}/${path}`, body)
      assert.deepEqual([answer.status, answer.body], [404, refused(messageId, 'The PIN cannot be found.')], path)
    }
  }
})
