import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { ManualClock } from '../clock.ts'
import { delivery, everything, KEYS, openWire, refused, type Wired } from './testbed.ts'

const PIN = '9C817C6F8AF3D48F9FE553282AFA2B67'
const SEND = { applicationId: 'APP', messageId: 'MSG', to: '41793026727' }

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

test('the end waits for whoever is being answered, and not for the connection that is kept open after', async () => {
  let waiting = () => {}
  let answer = () => {}
  const asked = new Promise<void>((resolve) => {
    waiting = resolve
  })
  const outcomeOf = () => {
    waiting()
    return new Promise<ReturnType<typeof delivery>>((resolve) => {
      answer = () => resolve(delivery({ disposition: 'heard' as const }))
    })
  }
  await using wired = await openWire({ ...everything, outcomeOf })
  const socket = connect(await listening(wired), '127.0.0.1')
  socket.write(
    `POST /2fa/1/pin/${PIN}/resend/voice HTTP/1.1\r\nHost: x\r\nAuthorization: App ${KEYS.manage}\r\nContent-Length: 0\r\n\r\n`,
  )
  await asked
  const closed = wired.api.close()
  const answered = once(socket.setEncoding('utf8'), 'data')
  while (wired.api.server.listening) await new Promise((resolve) => setImmediate(resolve))
  answer()
  assert.match(String((await answered)[0]), /"callStatus":"PROCESSED"/)
  const began = performance.now()
  await closed
  assert.ok(performance.now() - began < 10_000, 'a kept connection would last 72 s')
})

test('a connection that never asked anything holds the end up for a second at most', async () => {
  await using wired = await openWire(everything)
  const socket = connect(await listening(wired), '127.0.0.1')
  await once(wired.api.server, 'connection')
  const closed = wired.api.close()
  const cut = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve))
  while (wired.api.server.listening) await new Promise((resolve) => setImmediate(resolve))
  await wired.clock.advance(1000)
  await Promise.all([closed, cut])
  assert.equal(wired.clock.pending, 0)
})

async function listening(wired: Wired): Promise<number> {
  await wired.api.listen({ port: 0, host: '127.0.0.1' })
  return (wired.api.server.address() as { port: number }).port
}
