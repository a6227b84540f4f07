import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeLog } from '../log.ts'
import { FAR, farEnd, requestOf, responseTo } from './testbed.ts'

/** What the endpoint says to requests outside of calls, to garbage, to strangers; how it asks and closes. */

test('OPTIONS is answered with what we can do', () => {
  const far = farEnd()
  far.receive(requestOf('OPTIONS'))
  const answer = far.lastResponse()
  assert.equal(answer.status, 200)
  for (const name of ['allow', 'accept', 'supported']) assert.ok(answer.headers.get(name), name)
  assert.match(answer.headers.get('to')!, /;tag=/)
})

const REFUSED: [what: string, bytes: Buffer, status: number][] = [
  ['an INVITE where nobody takes calls', requestOf('INVITE'), 603],
  ['a method that we do not know', requestOf('REGISTER'), 405],
  ['an extension that we do not know', requestOf('INVITE', { headers: [['require', 'nothingSupportsThis']] }), 420],
  ['reliable answers, which we do not send', requestOf('INVITE', { headers: [['require', '100rel']] }), 420],
  ['a BYE for no call', requestOf('BYE'), 481],
  ['a re-INVITE for no call', requestOf('INVITE', { headers: [['to', '<sip:x@h>;tag=gone']] }), 481],
  ['a body that is no description', requestOf('INVITE', { body: 'x', headers: [['content-type', 'text/html']] }), 415],
  [
    'a URI scheme that is no telephone’s',
    requestOf('OPTIONS', { uri: 'nobodyKnowsThisScheme:totallyopaquecontent' }),
    416,
  ],
  ['a broken Request-URI', requestOf('OPTIONS', { uri: 'sip:x@h:99999' }), 400],
  ['a broken To', requestOf('OPTIONS', { headers: [['to', '<nonsense']] }), 400],
]
for (const [what, bytes, status] of REFUSED) {
  test(`${what} is told ${status}`, () => {
    const far = farEnd()
    far.receive(bytes)
    assert.deepEqual(
      far.sent.map(({ message }) => message.kind === 'response' && message.status),
      [status],
    )
    if (status === 405) assert.ok(far.lastResponse().headers.lists('allow', 'BYE'))
  })
}

test('the same request by two ways is told 482 the second time (RFC 3261 §8.2.2.2)', () => {
  const far = farEnd()
  far.endpoint.onInvite(() => {})
  const headers: [string, string][] = [['call-id', 'merged']]
  far.receive(requestOf('INVITE', { headers, branch: 'z9hG4bKone' }))
  far.receive(requestOf('INVITE', { headers, branch: 'z9hG4bKtwo' }))
  assert.deepEqual(far.statuses('INVITE'), [100, 482])
})

test('answers go where the Via says: back to the source with rport, else to its host at the named port', () => {
  const far = farEnd()
  const source = { host: '127.0.0.8', port: 40_000 }
  far.receive(requestOf('OPTIONS', { headers: [['via', 'SIP/2.0/UDP 10.0.0.1:5090;rport;branch=z9hG4bKr']] }), source)
  assert.deepEqual(far.sent.at(-1)!.to, source)
  assert.match(far.lastResponse().headers.get('via')!, /;rport=40000;received=127\.0\.0\.8/)
  far.receive(
    requestOf('OPTIONS', {
      headers: [['via', 'SIP/2.0/UDP 10.0.0.1:5090;branch=z9hG4bKs, SIP/2.0/UDP next;branch=z9hG4bKt']],
    }),
    source,
  )
  assert.deepEqual(far.sent.at(-1)!.to, { host: '127.0.0.8', port: 5090 })
  assert.deepEqual(far.lastResponse().headers.list('via'), [
    'SIP/2.0/UDP 10.0.0.1:5090;branch=z9hG4bKs;received=127.0.0.8',
    'SIP/2.0/UDP next;branch=z9hG4bKt',
  ])
})

test('strangers get no answer, the log one line for all of them; requests in a call are taken from anywhere', () => {
  const written: string[] = []
  const log = makeLog({ destination: { write: (line) => written.push(line) } })
  const far = farEnd({ allowedPeers: () => [FAR], log })
  const stranger = { host: '203.0.113.5', port: 5060 }
  for (let i = 0; i < 50; i++) far.receive(requestOf(i % 2 ? 'INVITE' : 'CANCEL'), stranger)
  for (let i = 0; i < 50; i++) far.receive('\x16\x03\x01 scanning', stranger)
  assert.deepEqual([far.sent.length, far.endpoint.stats.strangers, far.endpoint.stats.malformed], [0, 50, 50])
  assert.equal(written.length, 2)
  far.invite()
  far.respond(200)
  far.receive(requestOf('BYE', { dialog: far.requests('INVITE')[0] }), stranger)
  assert.deepEqual(far.heard.ends, ['them'])
})

test('garbage from a peer is counted; what can be answered is told 400, another version 505', () => {
  const far = farEnd()
  far.receive('\r\n\r\n')
  far.receive('hello?')
  far.receive(requestOf('OPTIONS').toString().replace('Content-Length: 0', 'Content-Length: x'))
  far.receive(requestOf('OPTIONS').toString().replace('SIP/2.0\r\n', 'SIP/3.0\r\n'))
  far.receive(requestOf('ACK').toString().replace('Content-Length: 0', 'Content-Length: x'))
  assert.deepEqual(far.statuses('OPTIONS'), [400, 505])
  assert.deepEqual([far.sent.length, far.endpoint.stats.malformed, far.endpoint.stats.received], [2, 4, 5])
})

test('an answer with a second Via, another branch or another Call-ID is not for us', () => {
  const far = farEnd()
  far.invite()
  const [invite] = far.requests('INVITE')
  const answer = responseTo(invite, 200).toString()
  far.receive(answer.replace('\r\nFrom', '\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKx\r\nFrom'))
  far.receive(answer.replace('branch=z9hG4bK', 'branch=z9hG4bKx'))
  far.receive(answer.replace('Call-ID: ', 'Call-ID: x'))
  assert.deepEqual([far.heard.answers, far.heard.failures], [[], []])
  far.receive(answer)
  assert.deepEqual(far.heard.answers, [''])
})

test('ping tells the status and the time, or 408', async () => {
  const far = farEnd()
  const answered = far.endpoint.ping(FAR)
  await far.clock.advance(30)
  far.respond(404, { method: 'OPTIONS' })
  assert.deepEqual(await answered, { status: 404, rttMs: 30 })
  const silent = far.endpoint.ping(FAR, { timeoutMs: 2000 })
  await far.clock.advance(2000)
  assert.deepEqual(await silent, { status: 408, rttMs: 2000 })
  await far.clock.advance(5000)
  assert.deepEqual([far.endpoint.pending, far.clock.pending], [0, 0])
})

test('closing ends what rings and what talks, waits for the goodbyes, and leaves nothing behind', async () => {
  const far = farEnd()
  far.endpoint.onInvite((call) => call.progress(180, 'Ringing'))
  far.receive(requestOf('INVITE'))
  far.invite()
  far.respond(200)
  const [talking] = far.requests('INVITE')
  far.invite()
  far.respond(180)
  const [, ringing] = far.requests('INVITE')
  const closed = far.endpoint.close()
  assert.deepEqual(
    [far.requests('BYE').length, far.requests('CANCEL').length, far.statuses('INVITE')],
    [1, 1, [180, 480]],
  )
  far.respond(200, { method: 'BYE' })
  far.respond(487, { to: ringing })
  await closed
  assert.equal(talking.callId === ringing.callId, false)
  assert.deepEqual([far.heard.ends, far.heard.failures.map(({ local }) => local)], [['us'], ['closed']])
  assert.deepEqual([far.endpoint.pending, far.clock.pending], [0, 0])
  far.invite()
  await Promise.resolve()
  assert.deepEqual(
    far.heard.failures.map(({ local }) => local),
    ['closed', 'closed'],
  )
})

test('a far end that never says goodbye holds up closing for two seconds', async () => {
  const far = farEnd()
  far.invite()
  const closed = far.endpoint.close()
  await far.clock.advance(2000)
  await closed
  assert.deepEqual(
    far.heard.failures.map(({ status, local }) => [status, local]),
    [[487, 'closed']],
  )
  assert.deepEqual([far.endpoint.pending, far.clock.pending], [0, 0])
})
