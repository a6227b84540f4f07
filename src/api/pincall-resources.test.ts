import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { test } from 'node:test'
import type { Progress } from '../events/index.ts'
import type { Disposition } from '../store/index.ts'
import { ACCOUNT, application, KEYS, OTHER, openWire, refused, template, type Wired } from './testbed.ts'

const PIN = '9C817C6F8AF3D48F9FE553282AFA2B67'
const TO = '41793026727'

/** A real delivery of a PIN, carried out by trunk carrier-a with this end; without one it stays owed. */
async function deliver(
  wired: Wired,
  deliveryId: string,
  disposition?: Disposition,
  channel: 'voice' | 'sms' = 'voice',
) {
  const { store, clock } = wired
  const now = clock.now()
  const key = { accountId: ACCOUNT, pinId: PIN }
  const delivery = { deliveryId, channel, reserveMicros: 50_000 }
  if (!(await store.loadPin(ACCOUNT, PIN))) {
    await store.createApplication(application())
    await store.createTemplate(template())
    const { applicationId, templateId } = template()
    const made = {
      ...key,
      applicationId,
      templateId,
      codeKeyId: 'k',
      to: TO,
      pinType: 'NUMERIC' as const,
      pinLength: 4,
    }
    const lasting = { createdAt: now, expiresAt: now + 900_000, maxChecks: 10, allowMultiple: true }
    await store.admitSend({ pin: { ...made, ...lasting }, delivery, counted: [], now })
  } else await store.admitResend({ ...key, delivery, coolDownMs: 0, maxResends: 9, counted: [], now })
  if (!disposition) return
  await store.claimDeliveries({ nodeId: 'n', channel, most: 9, leaseMs: 1000, now })
  const attempt = { deliveryId, nodeId: 'n', attemptId: `${deliveryId}-1` }
  await store.beginAttempt({ ...attempt, trunk: 'carrier-a', now: now + 1 })
  await store.closeAttempt({
    ...attempt,
    disposition,
    evidence: { sipStatus: 200 },
    chargeMicros: 12_000,
    final: true,
    event: { disposition, channel },
    now: now + 2,
  })
}

async function opened(): Promise<Wired> {
  const wired: Wired = await openWire({ deliveries: (accountId, pinId) => wired.store.deliveriesOf(accountId, pinId) })
  return wired
}

test('a call tells its status in both spellings, its evidence, attempts and price', async () => {
  await using wired = await opened()
  const createdAt = wired.clock.now()
  await deliver(wired, 'SMS', 'sms_sent', 'sms')
  await deliver(wired, 'CALL', 'declined')
  const ended = { disposition: 'declined', evidence: { sipStatus: 200 }, charge: '0.012' }
  const told = {
    deliveryId: 'CALL',
    pinId: PIN,
    to: TO,
    state: 'closed',
    callStatus: 'ERROR_USER_BUSY',
    callStatusV2: 'BUSY',
    ...ended,
    createdAt,
    closedAt: createdAt + 2,
    attempts: [{ attemptId: 'CALL-1', trunk: 'carrier-a', startedAt: createdAt + 1, endedAt: createdAt + 2, ...ended }],
  }
  const one = await wired.call('GET', '/pincall/1/calls/CALL')
  assert.deepEqual([one.status, one.body], [200, told])
  const all = await wired.call('GET', `/pincall/1/pins/${PIN}/calls`)
  assert.deepEqual(all.body, [told], 'a message is no call')
  assert.equal((await wired.call('GET', '/pincall/1/calls/SMS')).status, 404)
})

test('a call that is owed is PROCESSING', async () => {
  await using wired = await opened()
  await deliver(wired, 'CALL')
  const { body } = await wired.call('GET', '/pincall/1/calls/CALL')
  assert.deepEqual(
    [body.state, body.callStatus, body.callStatusV2, body.attempts],
    ['owed', 'PROCESSING', 'PENDING_ACCEPTED', []],
  )
})

test('another account’s call is not found', async () => {
  await using wired = await opened()
  await deliver(wired, 'CALL', 'heard')
  const other = await wired.call('GET', '/pincall/1/calls/CALL', undefined, { authorization: `App ${KEYS.other}` })
  assert.deepEqual([other.status, other.body], [404, refused('NOT_FOUND', 'The call cannot be found.')])
})

test('the balance is money in decimals, with what calls in progress hold', async () => {
  await using wired = await opened()
  await deliver(wired, 'CALL')
  assert.deepEqual((await wired.call('GET', '/pincall/1/balance')).body, {
    balance: '12.5',
    reserved: '0.05',
    available: '12.45',
  })
  const other = await wired.call('GET', '/pincall/1/balance', undefined, { authorization: `App ${KEYS.other}` })
  assert.deepEqual(other.body, { balance: '12.5', reserved: '0', available: '12.5' })
})

test('Pincall’s own resources want a key, and the account’s events and balance one that manages', async () => {
  await using wired = await opened()
  for (const path of ['calls/X', `pins/${PIN}/calls`, 'events', 'balance']) {
    const answer = await wired.call('GET', `/pincall/1/${path}`, undefined, { authorization: '' })
    assert.equal(answer.status, 401, path)
  }
  for (const path of ['events', 'balance']) {
    const answer = await wired.call('GET', `/pincall/1/${path}`, undefined, { authorization: `App ${KEYS.send}` })
    assert.equal(answer.status, 403, path)
  }
})

type Message = { id?: string; event?: string; data?: Record<string, unknown> }

/** A client of the stream over a real socket, reading message after message. */
async function subscribe(wired: Wired, path = '/pincall/1/events', headers: Record<string, string> = {}) {
  if (!wired.api.server.listening) await wired.api.listen({ port: 0, host: '127.0.0.1' })
  const { port } = wired.api.server.address() as { port: number }
  const request = get({ host: '127.0.0.1', port, path, headers: { authorization: `App ${KEYS.manage}`, ...headers } })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const texts = messagesOf(response)
  await texts.next() // the greeting
  return {
    response,
    close: () => request.destroy(),
    async next(): Promise<Message | undefined> {
      const { value, done } = await texts.next()
      if (done) return undefined
      const fields = Object.fromEntries(value.split('\n').map((line: string) => line.split(/: (.*)/s)))
      return { ...fields, ...(fields.data && { data: JSON.parse(fields.data) }) }
    },
  }
}

async function* messagesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of response.setEncoding('utf8')) {
    rest += chunk
    const messages = rest.split('\n\n')
    rest = messages.pop()!
    yield* messages
  }
}

const step = (step: Progress['step'], accountId = ACCOUNT): Progress => ({
  accountId,
  pinId: PIN,
  deliveryId: 'CALL',
  step,
  at: 7,
})

test('the stream tells progress and events in the order in which they happen, and only the account’s own', async () => {
  await using wired = await opened()
  const stream = await subscribe(wired)
  assert.match(String(stream.response.headers['content-type']), /^text\/event-stream/)
  assert.equal(stream.response.headers['access-control-allow-origin'], '*')
  wired.progress(step('dialling', OTHER))
  wired.progress(step('ringing'))
  assert.deepEqual(await stream.next(), {
    event: 'progress',
    data: { pinId: PIN, deliveryId: 'CALL', step: 'ringing', at: 7 },
  })
  await deliver(wired, 'CALL', 'heard')
  wired.progress(step('ended'))
  const closed = await stream.next()
  assert.deepEqual([closed?.event, closed?.id], ['delivery.closed', String(closed?.data?.seq)])
  assert.deepEqual(closed?.data, {
    seq: Number(closed?.id),
    at: wired.clock.now() + 2,
    pinId: PIN,
    deliveryId: 'CALL',
    disposition: 'heard',
    channel: 'voice',
    callStatus: 'PROCESSED',
    callStatusV2: 'DELIVERED_TO_HANDSET',
  })
  assert.equal((await stream.next())?.data?.step, 'ended')
  stream.close()
})

test('a reader goes on where it was, by query or by Last-Event-ID, and misses nothing', async () => {
  await using wired = await opened()
  await deliver(wired, 'FIRST', 'busy')
  await deliver(wired, 'SECOND', 'heard')
  const all = await subscribe(wired, '/pincall/1/events?after=0')
  const [first, second] = [await all.next(), await all.next()]
  assert.deepEqual([first?.data?.deliveryId, second?.data?.deliveryId], ['FIRST', 'SECOND'])
  all.close()
  const rest = await subscribe(wired, '/pincall/1/events?after=0', { 'last-event-id': String(first?.id) })
  assert.equal((await rest.next())?.data?.deliveryId, 'SECOND')
  await deliver(wired, 'THIRD', 'machine')
  assert.equal((await rest.next())?.data?.deliveryId, 'THIRD')
  rest.close()
  const wrong = await wired.call('GET', '/pincall/1/events?after=soon')
  assert.deepEqual(
    wrong.body,
    refused('BAD_REQUEST', 'after must be the id of an event: a whole number.', {
      after: ['must be the id of an event: a whole number'],
    }),
  )
})

test('without a cursor the stream begins now', async () => {
  await using wired = await opened()
  await deliver(wired, 'FIRST', 'busy')
  const stream = await subscribe(wired)
  await deliver(wired, 'SECOND', 'heard')
  assert.equal((await stream.next())?.data?.deliveryId, 'SECOND')
  stream.close()
})

test('a quiet stream has a heartbeat', async () => {
  await using wired = await opened()
  const stream = await subscribe(wired)
  await wired.clock.advance(15_000)
  assert.deepEqual(Object.keys((await stream.next()) ?? {}), [''], 'a comment')
  stream.close()
})

test('a reader that is far behind is given every event, though not all progress', async () => {
  await using wired = await opened()
  const stream = await subscribe(wired)
  await deliver(wired, 'CALL', 'heard')
  for (let i = 0; i < 5000; i++) wired.progress(step('reading'))
  await deliver(wired, 'LAST', 'heard')
  const events: unknown[] = []
  for (let message = await stream.next(); message; message = await stream.next()) {
    if (message.event === 'delivery.closed') events.push(message.data?.deliveryId)
    if (message.data?.deliveryId === 'LAST') break
  }
  assert.deepEqual(events, ['CALL', 'LAST'])
  stream.close()
})

test('a reader that leaves is forgotten; the end of the server ends every stream', async () => {
  await using wired = await opened()
  const leaving = await subscribe(wired)
  const staying = await subscribe(wired)
  assert.equal(wired.clock.pending, 2, 'each has its heartbeat')
  leaving.close()
  leaving.response.on('error', () => {})
  await new Promise((resolve) => leaving.response.once('close', resolve))
  for (let i = 0; i < 100 && wired.clock.pending > 1; i++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(wired.clock.pending, 1)
  const ended = staying.next()
  await wired.api.close()
  assert.equal(await ended, undefined)
  assert.equal(wired.clock.pending, 0)
})
