import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { ManualClock } from '../clock.ts'
import { PincallError } from '../errors.ts'
import { application, delivery, KEYS, openWire, refused, template, type Wired } from './testbed.ts'

const PIN = '9C817C6F8AF3D48F9FE553282AFA2B67'
const SEND = { applicationId: 'APP', messageId: 'MSG', to: '41793026727' }
const owed = {
  kind: 'owed',
  pinId: PIN,
  to: '41793026727',
  deliveryId: '5F1C0E7DB21A4B7CA1DE3A2B0C9D8E7F',
  joined: false,
} as const
const everything = {
  createApplication: async () => application(),
  updateApplication: async () => application(),
  application: async () => application(),
  applications: async () => [application()],
  createTemplate: async () => template(),
  updateTemplate: async () => template(),
  template: async () => template(),
  templates: async () => [template()],
  sendPin: async () => owed,
  resendPin: async () => owed,
  checkPin: async () => ({ pinId: PIN, to: '41793026727', verified: true, checksLeft: 0 }),
  verifications: async () => [],
  deliveries: async () => [delivery()],
  outcomeOf: async () => delivery({ disposition: 'heard' as const }),
}

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE, COPY, HEAD, OPTIONS, LINK, UNLINK, PURGE',
  'access-control-allow-headers': 'Authorization, Content-Type',
}
const corsOf = (headers: Record<string, unknown>) =>
  Object.fromEntries(Object.keys(CORS).map((name) => [name, headers[name]]))

test('a slash at the end, before the query, or doubled makes no difference', async () => {
  await using wired = await openWire(everything)
  const table: [string, string, object?][] = [
    ['POST', '/2fa/2/pin/?ncNeeded=true', SEND],
    ['POST', '/2fa/2/pin/?ncNeeded=undefined', SEND],
    ['POST', '/2fa/1/pin?ncNeeded=True', SEND],
    ['POST', '/2fa/1/pin?ncNeeded=', SEND],
    ['POST', '//2fa/1/pin', SEND],
    ['POST', `/2fa/1/pin/${PIN}/resend/voice/`],
    ['POST', `/2fa/2/pin/${PIN}/resend/`],
    ['POST', '/2fa/2/pin/voice/', SEND],
    ['POST', `/2fa/2/pin/${PIN}/verify/`, { pin: '1' }],
    ['GET', '/2fa/2/applications/'],
    ['GET', '/2fa/2/applications/APP/verifications/?msisdn=41793026727'],
  ]
  for (const [method, path, body] of table) {
    assert.equal((await wired.call(method, path, body)).status, 200, path)
  }
})

test('`voice` beside a pinId is the literal, not an id', async () => {
  await using wired = await openWire(everything)
  await wired.call('POST', '/2fa/2/pin/voice', SEND)
  assert.deepEqual(
    wired.asked.map(([verb]) => verb),
    ['sendPin'],
  )
})

test('JSON is read whatever the Content-Type says, and where it says nothing', async () => {
  await using wired = await openWire(everything)
  const payload = JSON.stringify(SEND)
  for (const type of [
    undefined,
    '',
    'application/json;charset=UTF-8',
    'text/plain',
    'application/x-www-form-urlencoded',
    'json',
    'application/xml',
    '*/*',
  ]) {
    const answer = await wired.api.inject({
      method: 'POST',
      url: '/2fa/1/pin',
      headers: { authorization: KEYS.manage, ...(type !== undefined && { 'content-type': type }) },
      payload,
    })
    assert.equal(answer.statusCode, 200, `${type}: ${answer.body}`)
  }
})

test('a body that can not be read is refused without a word of it', async () => {
  await using wired = await openWire(everything)
  const text = 'The body is not JSON: check its syntax.'
  for (const body of ['{"pin":"QX47"', 'pin=QX47', '<pin>QX47</pin>', '{pin:QX47}', "{'pin':'QX47'}", '\u0000']) {
    const v1 = await wired.call('POST', `/2fa/1/pin/${PIN}/verify`, body)
    assert.deepEqual([v1.status, v1.body], [400, refused('INVALID_ARGUMENT', text)], body)
    const v2 = await wired.call('POST', `/2fa/2/pin/${PIN}/verify`, body)
    assert.deepEqual(v2.body, refused('BAD_REQUEST', text))
  }
  const form = await wired.call('POST', `/2fa/2/pin/${PIN}/verify`, '{"pin":"QX47"', {
    'content-type': 'application/x-www-form-urlencoded',
  })
  assert.deepEqual(form.body, refused('BAD_REQUEST', text))
  assert.ok(!JSON.stringify(wired.lines).includes('QX47'))
  for (const body of ['[]', '"x"', '5', 'null', 'true']) {
    const answer = await wired.call('POST', '/2fa/2/pin', body)
    assert.deepEqual(
      [answer.status, answer.body],
      [400, refused('BAD_REQUEST', 'body must be an object.', { body: ['must be an object'] })],
      body,
    )
  }
})

test('a body over 64 KiB is 413, a compressed one 415', async () => {
  await using wired = await openWire(everything)
  const big = JSON.stringify({ ...SEND, from: 'x'.repeat(64 * 1024) })
  const text = 'The body is larger than the limit of 64 KiB: send less.'
  const v1 = await wired.call('POST', '/2fa/1/pin', big)
  assert.deepEqual([v1.status, v1.body], [413, refused('INVALID_ARGUMENT', text)])
  const v2 = await wired.call('POST', '/2fa/2/pin', big)
  assert.deepEqual([v2.status, v2.body], [413, refused('BAD_REQUEST', text)])
  const form = await wired.call('POST', '/auth/1/oauth2/token', big, {
    'content-type': 'application/x-www-form-urlencoded',
  })
  assert.equal(form.status, 413)
  assert.equal((await wired.call('POST', '/2fa/2/pin', SEND, { 'content-encoding': 'gzip' })).status, 415)
  assert.deepEqual(wired.asked, [])
})

test('an address that is none is 404, a known one with another method 405, both in the one shape', async () => {
  await using wired = await openWire(everything)
  const text = 'No such address: /docs lists what there is.'
  for (const path of ['/', '/2fa', '/2fa/2', '/2fa/3/pin', '/2fa/2/pin/email', '/2fa/2/nothing', '/wp-admin/']) {
    const answer = await wired.call('GET', path)
    assert.deepEqual([answer.status, answer.body], [404, refused('NOT_FOUND', text)], path)
  }
  assert.deepEqual((await wired.call('GET', '/2fa/1/nothing')).body, refused('RESOURCE_NOT_FOUND', text))
  const table: [string, string, string][] = [
    ['DELETE', '/2fa/2/applications/APP', 'GET, HEAD, PUT'],
    ['GET', '/2fa/1/pin', 'POST'],
    ['PATCH', '/2fa/1/applications/', 'POST, GET, HEAD'],
    ['GET', `/2fa/2/pin/${PIN}/verify?x=1`, 'POST'],
  ]
  for (const [method, path, allow] of table) {
    const answer = await wired.call(method, path)
    assert.equal(answer.status, 405, path)
    assert.deepEqual(String(answer.headers.allow).split(', ').sort(), allow.split(', ').sort())
    assert.deepEqual(Object.keys(answer.body.requestError.serviceException), ['messageId', 'text'])
  }
})

test('an address that can not be decoded is 400 in the one shape', async () => {
  await using wired = await openWire(everything)
  const answer = await wired.call('GET', '/2fa/1/pin/%zz/status')
  assert.deepEqual(answer.body, refused('INVALID_ARGUMENT', 'The address can not be read: check its percent-encoding.'))
  assert.deepEqual([answer.status, corsOf(answer.headers)], [400, CORS])
  const long = await wired.call('GET', `/2fa/1/pin/${'A'.repeat(150)}/status`)
  assert.equal(long.status, 400)
  assert.ok([400, 404].includes((await wired.call('GET', `/2fa/1/pin/${'A'.repeat(250)}/status`)).status))
})

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

test('every answer carries the recorded CORS headers, and a preflight passes without a key', async () => {
  await using wired = await openWire(everything)
  const answers = [
    await wired.call('GET', '/2fa/1/applications'),
    await wired.call('POST', '/2fa/2/pin', {}),
    await wired.call('GET', '/2fa/1/applications', undefined, { authorization: '' }),
    await wired.call('GET', '/nowhere'),
    await wired.call('DELETE', '/2fa/1/pin'),
    await wired.call('POST', '/auth/1/session', {}),
  ]
  for (const path of ['/2fa/1/pin', `/2fa/2/pin/${PIN}/resend/voice`, '/2fa/2/applications/']) {
    const preflight = await wired.call('OPTIONS', path, undefined, {
      authorization: '',
      origin: 'https://shop.example',
      'access-control-request-method': 'POST',
    })
    assert.deepEqual([preflight.status, preflight.text], [204, ''])
    answers.push(preflight)
  }
  for (const answer of answers) assert.deepEqual(corsOf(answer.headers), CORS)
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

async function listening(wired: Wired): Promise<number> {
  await wired.api.listen({ port: 0, host: '127.0.0.1' })
  return (wired.api.server.address() as { port: number }).port
}

test('what is no HTTP at all is told so, and the connection ends', async () => {
  await using wired = await openWire(everything)
  const socket = connect(await listening(wired), '127.0.0.1')
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  socket.write('INVITE sip:bob@biloxi.com SIP/2.0\r\n\r\n')
  await once(socket, 'close')
  const [head, body] = text.split('\r\n\r\n')
  assert.match(head, /^HTTP\/1\.1 400 /)
  assert.deepEqual(JSON.parse(body), refused('BAD_REQUEST', 'The request can not be read.'))
})

test('a client that hangs up does not stop the call, nor hurt the server', async () => {
  const clock = new ManualClock()
  let waiting = () => {}
  const asked = new Promise<void>((resolve) => {
    waiting = resolve
  })
  let ended = false
  const outcomeOf = async () => {
    waiting()
    await clock.wait(10_000)
    ended = true
    return delivery({ disposition: 'heard' as const })
  }
  await using wired = await openWire({ ...everything, outcomeOf })
  const socket = connect(await listening(wired), '127.0.0.1')
  socket.write(
    `POST /2fa/1/pin/${PIN}/resend/voice HTTP/1.1\r\nHost: x\r\nAuthorization: App ${KEYS.manage}\r\nContent-Length: 0\r\n\r\n`,
  )
  await asked
  socket.destroy()
  await once(socket, 'close')
  await clock.advance(10_000)
  assert.ok(ended)
  assert.equal((await wired.call('GET', '/2fa/1/applications')).status, 200)
  assert.deepEqual(
    wired.lines.filter((line) => Number(line.level) >= 50),
    [],
  )
})
