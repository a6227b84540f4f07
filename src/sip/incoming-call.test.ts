import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Header } from './message.ts'
import { FAR, farEnd, requestOf } from './testbed.ts'
import type { IncomingCall } from './types.ts'

/** The callee's side, as the sandbox's carrier plays it. */

function callee(decide: (call: IncomingCall) => void) {
  const far = farEnd()
  const facts: string[] = []
  far.endpoint.onInvite((call) => {
    call.handlers = {
      onCancel: () => facts.push('cancelled'),
      onConfirmed: () => facts.push('confirmed'),
      onEnd: ({ by }) => facts.push(`ended by ${by}`),
      onInfo: ({ contentType, body }) => facts.push(`${contentType}: ${Buffer.from(body)}`),
      onOffer: (body) => (body.length ? Buffer.from(`answer to ${Buffer.from(body)}`) : Buffer.from('an offer')),
    }
    decide(call)
  })
  const ids: Header[] = [['call-id', 'the-call']]
  let branch = 0
  return {
    ...far,
    facts,
    /** Their requests of this call, with our tag once we have given it. */
    say(
      method: string,
      how: { cseq?: number; branch?: string; headers?: Header[]; body?: string; inDialog?: boolean } = {},
    ) {
      const to: Header[] = how.inDialog ? [['to', far.lastResponse().headers.get('to')!]] : []
      const headers = [...ids, ...to, ...(how.headers ?? [])]
      far.receive(requestOf(method, { cseq: 1, branch: `z9hG4bKb${++branch}`, ...how, headers }))
    },
  }
}

test('an INVITE is asked about with number, caller and body; without a word from us it is told 100', () => {
  let asked: IncomingCall | undefined
  const far = callee((call) => {
    asked = call
  })
  far.receive(
    requestOf('INVITE', {
      uri: 'sip:%2B41790000091@127.0.0.1;user=phone',
      body: 'offer',
      headers: [['x-test', 'yes']],
    }),
  )
  assert.ok(asked)
  assert.deepEqual([asked.dialled, asked.from, asked.source], ['+41790000091', 'sip:far@127.0.0.2', FAR])
  assert.deepEqual(
    [Buffer.from(asked.body).toString(), asked.header('X-TEST'), asked.header('x-none')],
    ['offer', 'yes', undefined],
  )
  assert.deepEqual(far.statuses('INVITE'), [100])
})

test('180, 183, 200, ACK: all answers of one dialog, then our BYE', () => {
  let call!: IncomingCall
  const far = callee((asked) => {
    call = asked
    call.progress(180, 'Ringing')
    call.progress(183, 'Session Progress', Buffer.from('early'))
    call.answer(Buffer.from('answer'))
  })
  far.say('INVITE', { headers: [['record-route', '<sip:127.0.0.3:5003;lr>, <sip:127.0.0.4;lr>']] })
  assert.deepEqual(far.statuses('INVITE'), [180, 183, 200])
  const tags = far.sent.map(({ message }) => message.headers.get('to'))
  assert.equal(new Set(tags).size, 1)
  assert.equal(far.lastResponse().headers.list('record-route').length, 2)
  call.hangUp()
  assert.equal(far.requests('BYE').length, 0, 'RFC 3261 §15: no BYE before the ACK')
  far.say('ACK', { inDialog: true })
  assert.deepEqual(far.facts, ['confirmed', 'ended by us'])
  const bye = far.sent.at(-1)!
  assert.deepEqual(bye.to, { host: '127.0.0.3', port: 5003 })
  assert.ok(bye.message.kind === 'request')
  assert.deepEqual(bye.message.headers.list('route'), ['<sip:127.0.0.3:5003;lr>', '<sip:127.0.0.4;lr>'])
  assert.equal(bye.message.uri, `sip:far@${FAR.host}:${FAR.port}`)
})

test('an ACK that keeps the INVITE’s branch, as some peers send, is understood', () => {
  const far = callee((call) => call.answer(Buffer.from('answer')))
  far.say('INVITE', { branch: 'z9hG4bKsame' })
  far.say('ACK', { branch: 'z9hG4bKsame', inDialog: true })
  assert.deepEqual(far.facts, ['confirmed'])
})

test('CANCEL while it rings: 200 to it, 487 to the INVITE; after the answer it changes nothing', () => {
  const ringing = callee((call) => call.progress(180, 'Ringing'))
  ringing.say('INVITE', { branch: 'z9hG4bKc' })
  ringing.say('CANCEL', { branch: 'z9hG4bKc' })
  assert.deepEqual(
    [ringing.statuses('CANCEL'), ringing.statuses('INVITE'), ringing.facts],
    [[200], [180, 487], ['cancelled']],
  )
  const answered = callee((call) => call.answer(Buffer.from('answer')))
  answered.say('INVITE', { branch: 'z9hG4bKc' })
  answered.say('CANCEL', { branch: 'z9hG4bKc' })
  assert.deepEqual([answered.statuses('CANCEL'), answered.statuses('INVITE'), answered.facts], [[200], [200], []])
})

test('a CANCEL for nothing is told 481', () => {
  const far = callee(() => {})
  far.say('CANCEL')
  assert.deepEqual(far.statuses('CANCEL'), [481])
})

test('rejected with any status and headers', () => {
  const far = callee((call) =>
    call.reject(503, 'Service Unavailable', [
      ['Retry-After', '7'],
      ['Reason', 'Q.850;cause=34'],
    ]),
  )
  far.say('INVITE')
  const answer = far.lastResponse()
  assert.deepEqual([answer.status, answer.reason, answer.headers.get('retry-after')], [503, 'Service Unavailable', '7'])
  assert.equal(answer.headers.get('reason'), 'Q.850;cause=34')
})

test('INFO, re-INVITE with and without an offer, UPDATE as a refresh; then their BYE', () => {
  const far = callee((call) => call.answer(Buffer.from('answer')))
  const body = () => Buffer.from(far.lastResponse().body).toString()
  far.say('INVITE')
  far.say('ACK', { inDialog: true })
  far.say('INFO', { inDialog: true, cseq: 2, body: 'Signal=5', headers: [['content-type', 'application/dtmf-relay']] })
  far.say('INVITE', { inDialog: true, cseq: 3, body: 'hold' })
  assert.equal(body(), 'answer to hold')
  far.say('ACK', { inDialog: true, cseq: 3 })
  far.say('INVITE', { inDialog: true, cseq: 4 })
  assert.equal(body(), 'an offer')
  far.say('ACK', { inDialog: true, cseq: 4, body: 'their answer' })
  far.say('UPDATE', { inDialog: true, cseq: 5 })
  assert.deepEqual([far.statuses('UPDATE'), body()], [[200], ''])
  far.say('BYE', { inDialog: true, cseq: 6 })
  assert.deepEqual(far.facts, ['confirmed', 'application/dtmf-relay: Signal=5', 'ended by them'])
})

test('in a call: old CSeq 500, unknown method 405 with Allow, unknown extension 420, no SDP 415', () => {
  const far = callee((call) => call.answer(Buffer.from('answer')))
  far.say('INVITE', { cseq: 10 })
  far.say('ACK', { inDialog: true, cseq: 10 })
  far.say('INFO', { inDialog: true, cseq: 10 })
  assert.deepEqual(far.statuses('INFO'), [500])
  far.say('REFER', { inDialog: true, cseq: 11 })
  assert.deepEqual([far.statuses('REFER'), far.lastResponse().headers.lists('allow', 'INVITE')], [[405], true])
  far.say('UPDATE', { inDialog: true, cseq: 12, headers: [['require', 'foo, timer']] })
  assert.deepEqual([far.statuses('UPDATE'), far.lastResponse().headers.get('unsupported')], [[420], 'foo'])
  far.say('INVITE', { inDialog: true, cseq: 13, body: 'x', headers: [['content-type', 'text/plain']] })
  assert.deepEqual(far.statuses('INVITE').slice(1), [415])
})

test('a caller that vanishes while it rings is given up after five minutes', async () => {
  const far = callee((call) => call.progress(180, 'Ringing'))
  far.say('INVITE')
  await far.clock.advance(300_000)
  assert.deepEqual([far.statuses('INVITE').slice(0, 2), far.facts], [[180, 487], ['cancelled']])
  await far.clock.advance(33_000)
  assert.deepEqual([far.endpoint.pending, far.clock.pending], [0, 0])
})

test('a session interval under 90 s is told 422, a longer one agreed and kept by whom the caller says', async () => {
  const far = callee((call) => call.answer(Buffer.from('answer')))
  far.say('INVITE', {
    headers: [
      ['session-expires', '30'],
      ['supported', 'timer'],
    ],
  })
  assert.deepEqual([far.statuses('INVITE'), far.lastResponse().headers.get('min-se')], [[422], '90'])
  far.say('INVITE', {
    cseq: 2,
    headers: [
      ['x', '120;refresher=uas'],
      ['supported', 'timer'],
    ],
  })
  assert.equal(far.lastResponse().headers.get('session-expires'), '120;refresher=uas')
  far.say('ACK', { inDialog: true, cseq: 2 })
  await far.clock.advance(60_000)
  assert.equal(far.requests('UPDATE').length, 1)
})
