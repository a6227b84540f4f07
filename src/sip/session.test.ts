import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Header } from './message.ts'
import { farEnd, requestOf } from './testbed.ts'
import type { CallHandlers } from './types.ts'

/** An answered call of ours: the far end's requests in it, and session timers (RFC 4028). */

function answered(how: { headers?: Header[]; handlers?: Partial<CallHandlers> } = {}) {
  const far = farEnd()
  const call = far.invite({}, how.handlers)
  far.respond(200, how.headers ? { headers: how.headers } : {})
  const [invite] = far.requests('INVITE')
  let cseq = 0
  return {
    ...far,
    call,
    invite,
    ask: (method: string, more: { body?: string; headers?: Header[] } = {}) =>
      far.receive(requestOf(method, { dialog: invite, cseq: ++cseq, ...more })),
  }
}

test('a new offer is answered by whoever placed the call, or refused with 488', () => {
  const far = answered({
    handlers: { onOffer: (body) => (`${Buffer.from(body)}` === 'hold' ? Buffer.from('held') : undefined) },
  })
  far.ask('INVITE', { body: 'hold', headers: [['contact', '<sip:moved@127.0.0.7:5007>']] })
  assert.deepEqual([far.lastResponse().status, Buffer.from(far.lastResponse().body).toString()], [200, 'held'])
  far.ask('UPDATE', { body: 'impossible' })
  assert.deepEqual(far.statuses('UPDATE'), [488])
  far.call.hangUp()
  assert.deepEqual(far.sent.at(-1)!.to, { host: '127.0.0.7', port: 5007 }, 'the re-INVITE moved its Contact')
  const plain = answered()
  plain.ask('INVITE', { body: 'hold' })
  assert.deepEqual(plain.statuses('INVITE'), [488])
})

test('our 200 to a re-INVITE repeats until its ACK; without one the call is lost', async () => {
  const far = answered({ handlers: { onOffer: () => Buffer.from('held') } })
  far.ask('INVITE', { body: 'hold' })
  await far.clock.advance(1600)
  assert.deepEqual(far.statuses('INVITE'), [200, 200, 200])
  await far.clock.advance(30_400)
  assert.deepEqual(far.heard.ends, ['lost'])
  assert.equal(far.requests('BYE').length, 1)
})

test('INFO reaches whoever listens; where nobody does its body is told 415', () => {
  const keys: string[] = []
  const far = answered({
    handlers: { onInfo: ({ contentType, body }) => keys.push(`${contentType} ${Buffer.from(body)}`) },
  })
  far.ask('INFO', { body: 'Signal=1', headers: [['content-type', 'application/dtmf-relay']] })
  assert.deepEqual([far.statuses('INFO'), keys], [[200], ['application/dtmf-relay Signal=1']])
  const deaf = answered()
  deaf.ask('INFO', { body: 'Signal=1', headers: [['content-type', 'application/dtmf-relay']] })
  deaf.ask('INFO')
  assert.deepEqual(deaf.statuses('INFO'), [415, 200])
})

test('both ends hang up at once: each BYE is answered, and the end told once', () => {
  const far = answered()
  far.call.hangUp()
  far.ask('BYE')
  assert.deepEqual([far.statuses('BYE'), far.heard.ends], [[200], ['us']])
})

const TIMED: Header[] = [
  ['session-expires', '180;refresher=uac'],
  ['require', 'timer'],
]

test('a session that is ours to refresh is refreshed by UPDATE at half its time, again and again', async () => {
  const far = answered({ headers: [...TIMED, ['allow', 'INVITE, UPDATE']] })
  for (const count of [1, 2, 3]) {
    await far.clock.advance(90_000)
    assert.equal(far.requests('UPDATE').length, count)
    assert.equal(far.requests('UPDATE').at(-1)!.headers.get('session-expires'), '180;refresher=uac')
    far.respond(200, { method: 'UPDATE', headers: TIMED })
  }
  assert.deepEqual(far.heard.ends, [])
})

test('a far end without UPDATE is refreshed by re-INVITE with the same description, and its 200 ACKed', async () => {
  for (const allow of ['INVITE, ACK, BYE', 'INVITE, UPDATE']) {
    const far = answered({ headers: [...TIMED, ['allow', allow]] })
    await far.clock.advance(90_000)
    if (allow.includes('UPDATE')) far.respond(405, { method: 'UPDATE' })
    const again = far.requests('INVITE').at(-1)!
    assert.match(again.headers.get('to')!, /tag=far$/)
    assert.equal(Buffer.from(again.body).toString(), 'offer')
    far.respond(200, { headers: TIMED })
    far.respond(200, { headers: TIMED })
    assert.equal(far.requests('ACK').length, 3)
    assert.deepEqual(far.heard.answers, [''], 'a refresh is no second answer')
  }
})

test('a refresh that is told 481, or nothing, ends the call as lost', async () => {
  for (const status of [481, undefined]) {
    const far = answered({ headers: TIMED })
    await far.clock.advance(90_000)
    if (status) far.respond(status, { method: 'UPDATE' })
    else await far.clock.advance(32_000)
    assert.deepEqual(far.heard.ends, ['lost'])
    assert.equal(far.requests('BYE').length, 1)
  }
})

test('glare: a refresh told 491 is tried again within 4 s', async () => {
  const far = answered({ headers: TIMED })
  await far.clock.advance(90_000)
  far.respond(491, { method: 'UPDATE' })
  await far.clock.advance(2000)
  assert.equal(far.requests('UPDATE').length, 1)
  await far.clock.advance(2000)
  assert.equal(far.requests('UPDATE').length, 2)
})

test('a far end that should refresh and does not is gone; one that does lives on', async () => {
  const gone = answered({ headers: [['session-expires', '180;refresher=uas']] })
  await gone.clock.advance(148_000)
  assert.deepEqual(gone.heard.ends, ['lost'])
  const there = answered({ headers: [['session-expires', '180;refresher=uas']] })
  for (let i = 0; i < 5; i++) {
    await there.clock.advance(90_000)
    there.ask('UPDATE', {
      headers: [
        ['session-expires', '180;refresher=uac'],
        ['supported', 'timer'],
      ],
    })
    assert.equal(there.lastResponse().headers.get('session-expires'), '180;refresher=uac')
  }
  assert.deepEqual(there.heard.ends, [])
})

test('absurd intervals neither refresh in a storm nor overflow a timer', async () => {
  const far = answered({ headers: [['session-expires', '999999999;refresher=uac']] })
  await far.clock.advance(10_000)
  assert.deepEqual([far.requests('UPDATE').length, far.heard.ends], [0, []])
})
