import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PincallError } from '../errors.ts'
import { everything, KEYS, openWire, owed, refused } from './testbed.ts'

const PIN = '9C817C6F8AF3D48F9FE553282AFA2B67'
const SEND = { applicationId: 'APP', messageId: 'MSG', to: '41793026727' }

test('what nobody expected is a 500 that says nothing, and the log says everything but the body', async () => {
  const broken = async (): Promise<never> => {
    throw new Error('the disk is gone')
  }
  await using wired = await openWire({
    checkPin: broken,
    sendPin: async () => ({ ...owed, pinId: undefined }) as never,
  })
  const text = 'Something went wrong. Please contact support.'
  const v1 = await wired.call('POST', `/2fa/1/pin/${PIN}/verify`, { pin: 'QX47' }, { 'x-request-id': 'find-me' })
  assert.deepEqual([v1.status, v1.body], [500, refused('GENERAL_EXCEPTION', text)])
  const v2 = await wired.call('POST', `/2fa/2/pin/${PIN}/verify`, { pin: 'QX47' })
  assert.deepEqual([v2.status, v2.body], [500, refused('GENERAL_ERROR', text)])
  const line = wired.lines.find((each) => each.msg === 'a request failed')
  assert.equal(line?.requestId, 'find-me')
  assert.equal((line?.err as { message?: string } | undefined)?.message, 'the disk is gone')
  assert.ok(!JSON.stringify(wired.lines).includes('QX47'))
})

test('a wrong setting of ours is not told to clients', async () => {
  const wrong = async (): Promise<never> => {
    throw new PincallError('configuration', 'secret.key is not the one this database was made with')
  }
  await using wired = await openWire({ applications: wrong })
  assert.equal(
    (await wired.call('GET', '/2fa/2/applications')).body.requestError.serviceException.messageId,
    'GENERAL_ERROR',
  )
})

test('shutting down is 503 with Retry-After, and the health check says why', async () => {
  const unavailable = async (): Promise<never> => {
    throw new PincallError('unavailable', 'The server is shutting down: try again in a moment.')
  }
  await using wired = await openWire({ sendPin: unavailable })
  const health = await wired.call('GET', '/healthz', undefined, { authorization: '' })
  assert.deepEqual([health.status, health.body], [200, { live: true, ready: true }])
  Object.assign(wired.ready, { ready: false, reason: 'shutting down' })
  const unready = await wired.call('GET', '/healthz')
  assert.deepEqual([unready.status, unready.body], [503, { live: true, ready: false, reason: 'shutting down' }])
  for (const version of [1, 2]) {
    const answer = await wired.call('POST', `/2fa/${version}/pin`, SEND)
    assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '5'])
    assert.equal(answer.body.requestError.serviceException.messageId, 'SERVICE_UNAVAILABLE')
  }
})

test('every answer has a request id: the client’s where it is a sane one', async () => {
  await using wired = await openWire(everything)
  const idOf = async (id?: string) =>
    (await wired.call('GET', '/2fa/1/applications', undefined, id === undefined ? {} : { 'x-request-id': id })).headers[
      'x-request-id'
    ]
  assert.match(String(await idOf()), /^[0-9a-f]{16}$/)
  assert.notEqual(await idOf(), await idOf())
  assert.equal(await idOf('1478260834465349756'), '1478260834465349756')
  for (const insane of ['', 'a b', 'x'.repeat(129), '<script>'])
    assert.match(String(await idOf(insane)), /^[0-9a-f]{16}$/, insane)
})

test('the log has a line per request, with neither number nor secret', async () => {
  await using wired = await openWire(everything)
  await wired.call('POST', `/2fa/1/pin/${PIN}/verify`, { pin: 'QX4708' })
  await wired.call('GET', '/2fa/2/applications/APP/verifications?msisdn=41793026727')
  await wired.call('POST', '/2fa/2/pin', SEND)
  await wired.call('POST', '/auth/1/oauth2/token?client_id=a&client_secret=hush-hush&grant_type=x', {})
  await wired.call('GET', '/2fa/1/applications/APP/phone-number/41793026727')
  const requests = wired.lines.filter((line) => line.msg === 'request')
  assert.deepEqual(
    requests.map(({ method, route, status }) => [method, route, status]),
    [
      ['POST', '/2fa/1/pin/:pinId/verify', 200],
      ['GET', '/2fa/2/applications/:applicationId/verifications', 200],
      ['POST', '/2fa/2/pin', 200],
      ['POST', '/auth/1/oauth2/token', 400],
      ['GET', 'none', 404],
    ],
  )
  assert.equal(requests[0].pinId, PIN)
  const text = JSON.stringify(wired.lines)
  for (const secret of ['QX4708', '41793026727', 'hush-hush', KEYS.manage]) assert.ok(!text.includes(secret), secret)
})

test('metrics count requests by route and status, never by address', async () => {
  await using wired = await openWire(everything)
  for (let i = 0; i < 3; i++) await wired.call('POST', `/2fa/1/pin/${PIN}/verify`, { pin: '1' })
  await wired.call('GET', '/2fa/1/pin/SOMETHING/else')
  const { text, headers } = await wired.call('GET', '/metrics', undefined, { authorization: '' })
  assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/)
  assert.match(
    text,
    /pincall_http_request_seconds_count\{method="POST",route="\/2fa\/1\/pin\/:pinId\/verify",status="200"\} 3/,
  )
  assert.match(text, /route="none",status="404"\} 1/)
  assert.ok(!text.includes(PIN) && !text.includes('SOMETHING'))
})

test('no request of whatever content makes a 500 or an error of another shape', async () => {
  await using wired = await openWire(everything)
  const routes = [
    'pin',
    'pin/voice',
    `pin/${PIN}/resend`,
    `pin/${PIN}/resend/voice`,
    `pin/${PIN}/verify`,
    'applications',
    'applications/APP/messages',
  ]
  const field = fc.constantFrom(
    ...Object.keys(SEND),
    'pin',
    'name',
    'configuration',
    'pinTimeToLive',
    'verifyPinLimit',
    'verificationAttempts',
    'messageText',
    'pinType',
    'pinLength',
    'placeholders',
    'regional',
    'indiaDlt',
    'language',
    'pinPlaceholder',
    'speechRate',
    '__proto__',
    'constructor',
  )
  const leaf = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom('{{pin}}', '41793026727', 'NUMERIC', '1/3s', 'pt-br'),
  )
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(field, tie('value'), { maxKeys: 6 }),
    ),
  }))
  const body = fc.oneof(
    fc.dictionary(field, value, { maxKeys: 8 }).map((each) => JSON.stringify(each)),
    value.map((each) => JSON.stringify(each) ?? ''),
    fc.string(),
  )
  const header = fc.string({ maxLength: 40 }).map((text) => text.replace(/[^\x20-\x7e]/g, ''))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...routes),
      fc.constantFrom(1, 2),
      fc.constantFrom('POST', 'PUT'),
      body,
      header,
      header,
      async (route, version, method, payload, type, prefer) => {
        const url = `/2fa/${version}/${route}?ncNeeded=${encodeURIComponent(type)}`
        const answer = await wired.call(method, url, payload, {
          'content-type': type,
          prefer,
          'idempotency-key': prefer,
          'x-request-id': type,
        })
        assert.ok(answer.status < 500, `${answer.status} ${answer.text}`)
        if (answer.status >= 400) {
          const { messageId, text, validationErrors, ...more } = answer.body.requestError.serviceException
          assert.deepEqual([typeof messageId, typeof text, more], ['string', 'string', {}])
          for (const sentences of Object.values(validationErrors ?? {})) assert.ok(Array.isArray(sentences))
        }
      },
    ),
    { numRuns: 400 },
  )
})
