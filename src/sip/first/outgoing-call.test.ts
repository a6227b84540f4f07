import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAR, requestOf, scriptPeer } from '../../../test/testbed/sip-peer.ts'
import { header, headerValues, type SipRequest } from './message.ts'

const bye = (ours: SipRequest, seq = 1) =>
  requestOf('BYE', 'sip:pincall@127.0.0.1:5060', {
    from: `${header(ours, 'to')!.replace(/;tag=.*/, '')};tag=far`,
    to: header(ours, 'from')!,
    'call-id': header(ours, 'call-id')!,
    cseq: `${seq} BYE`,
  })

test('an unanswered INVITE is sent again after T1, doubling, until 64 T1 (timers A and B)', async () => {
  const peer = scriptPeer()
  peer.invite({ noResponseMs: 100_000 })
  const times: number[] = []
  for (let ms = 0; ms <= 33_000; ms += 500) {
    times.push(peer.requests('INVITE').length)
    await peer.clock.advance(500)
  }
  assert.equal(peer.requests('INVITE').length, 7, 'at 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s')
  assert.deepEqual([times[0], times[1], times[2], times[3], times[4]], [1, 2, 2, 3, 3])
  assert.equal(peer.heard.failures[0].local, 'no_response')
  assert.equal(peer.endpoint.pending, 0)
  assert.equal(peer.clock.pending, 0)
})

test('a provisional answer stops the repetitions, and nothing but our ring timer ends it then', async () => {
  const peer = scriptPeer()
  peer.invite({ ringTimeoutMs: 120_000 })
  peer.respond(100)
  await peer.clock.advance(100_000)
  assert.equal(peer.requests('INVITE').length, 1)
  assert.deepEqual(peer.heard.failures, [])
})

test('rings too long: CANCEL with the INVITE’s branch, URI and CSeq number; the 487 ends it', async () => {
  const peer = scriptPeer()
  peer.invite({ ringTimeoutMs: 10_000 })
  peer.respond(180)
  await peer.clock.advance(10_000)
  const [invite] = peer.requests('INVITE')
  const [cancel] = peer.requests('CANCEL')
  assert.equal(header(cancel, 'via'), header(invite, 'via'))
  assert.equal(cancel.uri, invite.uri)
  assert.equal(header(cancel, 'cseq'), '1 CANCEL')
  peer.respond(200, { to: cancel })
  assert.deepEqual(peer.heard.failures, [], 'the 200 to the CANCEL decides nothing')
  peer.respond(487)
  assert.deepEqual(peer.heard.failures.map(({ status, local, rang }) => [status, local, rang]), [[487, 'ring_timeout', true]])
  assert.equal(header(peer.requests('ACK')[0], 'via'), header(invite, 'via'), 'the ACK to a non-2xx has its INVITE’s branch')
  await peer.clock.advance(40_000)
  assert.equal(peer.endpoint.pending, 0)
})

test('a CANCEL that nobody answers is given up after 64 T1', async () => {
  const peer = scriptPeer()
  const call = peer.invite()
  peer.respond(180)
  call.hangUp()
  await peer.clock.advance(33_000)
  assert.equal(peer.heard.failures[0].local, 'cancelled')
})

test('hung up before any answer: the CANCEL waits for the first provisional one', async () => {
  const peer = scriptPeer()
  const call = peer.invite()
  call.hangUp()
  assert.equal(peer.requests('CANCEL').length, 0)
  peer.respond(100)
  assert.equal(peer.requests('CANCEL').length, 1)
})

test('a 200 that crosses the CANCEL is acknowledged, then ended, and nobody is told of an answer', async () => {
  const peer = scriptPeer()
  const call = peer.invite()
  peer.respond(180)
  call.hangUp()
  peer.respond(200, { body: 'answer' })
  assert.deepEqual([peer.requests('ACK').length, peer.requests('BYE').length], [1, 1])
  assert.deepEqual(peer.heard.answers, [])
  assert.equal(peer.heard.failures[0].local, 'cancelled')
})

test('nothing at all comes back: given up after the trunk’s time; a late ringing is cancelled', async () => {
  const peer = scriptPeer()
  peer.invite({ noResponseMs: 3000 })
  await peer.clock.advance(3000)
  assert.deepEqual(peer.heard.failures.map(({ local, rang }) => [local, rang]), [['no_response', false]])
  const before = peer.requests('INVITE').length
  await peer.clock.advance(5000)
  assert.equal(peer.requests('INVITE').length, before, 'it is not sent again')
  peer.respond(180)
  assert.equal(peer.requests('CANCEL').length, 1)
  peer.respond(487)
  assert.equal(peer.heard.failures.length, 1, 'told once')
})

test('nothing came back, another trunk is tried, and then a late 200 comes: acknowledged and ended', async () => {
  const peer = scriptPeer()
  peer.invite({ noResponseMs: 3000 })
  await peer.clock.advance(3000)
  peer.respond(200)
  assert.deepEqual([peer.requests('ACK').length, peer.requests('BYE').length], [1, 1])
  assert.deepEqual(peer.heard.answers, [])
})

test('the ACK to a 2xx follows the route set and goes out again for each repeated 2xx', async () => {
  const peer = scriptPeer()
  peer.invite()
  const routes: [string, string][] = [['record-route', '<sip:127.0.0.8;lr>, <sip:127.0.0.9:5070;lr;x=1>']]
  peer.respond(200, { headers: routes, body: 'answer' })
  peer.respond(200, { headers: routes, body: 'answer' })
  const acks = peer.sent.filter(({ message }) => message.kind === 'request' && message.method === 'ACK')
  assert.equal(acks.length, 2)
  const ack = acks[0].message as SipRequest
  assert.deepEqual(acks[0].to, { host: '127.0.0.9', port: 5070 }, 'the last Record-Route is the first hop')
  assert.deepEqual(headerValues(ack, 'route'), ['<sip:127.0.0.9:5070;lr;x=1>', '<sip:127.0.0.8;lr>'])
  assert.equal(ack.uri, 'sip:callee@127.0.0.2:5099')
  assert.notEqual(header(ack, 'via'), header(peer.requests('INVITE')[0], 'via'))
  assert.deepEqual(peer.heard.answers, ['answer'], 'told once')
})

test('without a Record-Route, requests in the dialog go to the Contact', async () => {
  const peer = scriptPeer()
  const call = peer.invite()
  peer.respond(200)
  call.hangUp()
  const out = peer.sent.find(({ message }) => message.kind === 'request' && message.method === 'BYE')!
  assert.deepEqual(out.to, { host: '127.0.0.2', port: 5099 })
  assert.deepEqual(peer.heard.ends, ['us'])
  assert.equal(header(out.message, 'cseq'), '2 BYE')
})

test('two phones of a fork answer: the first is kept, the second acknowledged and ended', async () => {
  const peer = scriptPeer()
  peer.invite()
  peer.respond(180, { tag: 'a' })
  peer.respond(180, { tag: 'b' })
  peer.respond(200, { tag: 'b', body: 'from b' })
  peer.respond(200, { tag: 'a', body: 'from a' })
  assert.deepEqual(peer.heard.answers, ['from b'])
  assert.equal(peer.requests('ACK').length, 2)
  assert.match(header(peer.requests('BYE')[0], 'to')!, /tag=a$/)
  assert.deepEqual(peer.heard.ends, [])
})

test('the callee hangs up: 200 to its BYE, told once, also where the BYE is repeated', async () => {
  const peer = scriptPeer()
  peer.invite()
  peer.respond(200)
  const message = bye(peer.requests('INVITE')[0])
  peer.receive(message)
  peer.receive(message)
  assert.deepEqual(peer.responses('BYE').map(({ status }) => status), [200, 200])
  assert.deepEqual(peer.heard.ends, ['them'])
  peer.receive(bye(peer.requests('INVITE')[0], 2))
  assert.equal(peer.responses('BYE').at(-1)!.status, 481, 'the dialog is gone')
})

test('a challenge is answered once, with the same Call-ID and the next CSeq; a second refusal is final', async () => {
  const peer = scriptPeer()
  peer.invite({ credentials: { user: 'u', password: 'p' } })
  const challenge: [string, string][] = [
    ['proxy-authenticate', 'Digest realm="r", nonce="n1", algorithm=MD5, qop="auth"'],
    ['proxy-authenticate', 'Digest realm="r", nonce="n1", algorithm=SHA-256, qop="auth,auth-int"'],
  ]
  peer.respond(407, { headers: challenge })
  const [first, second] = peer.requests('INVITE')
  assert.equal(header(second, 'call-id'), header(first, 'call-id'))
  assert.equal(header(second, 'cseq'), '2 INVITE')
  assert.notEqual(header(second, 'via'), header(first, 'via'))
  assert.match(header(second, 'proxy-authorization')!, /algorithm=SHA-256.*qop=auth, nc=00000001/, 'the strongest is taken')
  peer.respond(407, { headers: challenge })
  assert.equal(peer.requests('INVITE').length, 2)
  assert.equal(peer.heard.failures[0].status, 407)
})

test('a stale nonce is answered once more', async () => {
  const peer = scriptPeer()
  peer.invite({ credentials: { user: 'u', password: 'p' } })
  peer.respond(401, { headers: [['www-authenticate', 'Digest realm="r", nonce="a"']] })
  peer.respond(401, { headers: [['www-authenticate', 'Digest realm="r", nonce="b", stale=true']] })
  assert.match(header(peer.requests('INVITE')[2], 'authorization')!, /nonce="b"/)
})

test('redirects are followed to the same trunk, five at most, and not to strangers', async () => {
  const peer = scriptPeer({ allowedPeers: () => [FAR] })
  peer.invite()
  for (let i = 0; i < 5; i++) peer.respond(302, { headers: [['contact', `<sip:next${i}@127.0.0.2>`]] })
  assert.deepEqual(peer.requests('INVITE').map(({ uri }) => uri).at(-1), 'sip:next4@127.0.0.2')
  peer.respond(302, { headers: [['contact', '<sip:more@127.0.0.2>']] })
  assert.equal(peer.heard.failures[0].status, 302)
  const other = scriptPeer({ allowedPeers: () => [FAR] })
  other.invite()
  other.respond(302, { headers: [['contact', '<sip:x@127.0.0.66>']] })
  assert.deepEqual([other.requests('INVITE').length, other.heard.failures[0].status], [1, 302])
})

test('a reliable provisional answer is PRACKed once, a repeated one not again', async () => {
  const peer = scriptPeer()
  peer.invite()
  const reliable: [string, string][] = [['require', '100rel'], ['rseq', '7']]
  peer.respond(183, { headers: reliable })
  peer.respond(183, { headers: reliable })
  const pracks = peer.requests('PRACK')
  assert.equal(pracks.length, 1)
  assert.equal(header(pracks[0], 'rack'), '7 1 INVITE')
  assert.deepEqual(peer.heard.progress, [183])
})

test('the refusal’s Q.850 cause and Retry-After are told', async () => {
  const peer = scriptPeer()
  peer.invite()
  peer.respond(503, { headers: [['reason', 'SIP;cause=503, Q.850;cause=34;text="x"'], ['retry-after', '30 (busy)']] })
  assert.deepEqual(peer.heard.failures, [{ status: 503, reason: 'Reason', q850: 34, retryAfterS: 30, rang: false }])
})

test('a re-INVITE is answered by whoever placed the call, or refused with 488', async () => {
  const peer = scriptPeer()
  peer.invite({}, { onOffer: (body) => (Buffer.from(body).toString() === 'hold' ? Buffer.from('held') : undefined) })
  peer.respond(200)
  const ours = peer.requests('INVITE')[0]
  const inside = { from: `${header(ours, 'to')};tag=far`, to: header(ours, 'from')!, 'call-id': header(ours, 'call-id')! }
  peer.receive(requestOf('INVITE', 'sip:p@127.0.0.1', { ...inside, cseq: '5 INVITE' }, 'hold'))
  assert.equal(Buffer.from(peer.responses('INVITE')[0].body).toString(), 'held')
  peer.receive(requestOf('UPDATE', 'sip:p@127.0.0.1', { ...inside, cseq: '6 UPDATE' }, 'video'))
  assert.equal(peer.responses('UPDATE')[0].status, 488)
  peer.receive(requestOf('INFO', 'sip:p@127.0.0.1', { ...inside, cseq: '4 INFO' }))
  assert.equal(peer.responses('INFO')[0].status, 500, 'a request out of order')
})

test('a session timer that is ours to refresh is refreshed at half its time', async () => {
  const peer = scriptPeer()
  peer.invite()
  peer.respond(200, { headers: [['session-expires', '90;refresher=uac']] })
  await peer.clock.advance(45_000)
  assert.equal(peer.requests('UPDATE').length, 1)
  peer.respond(481, { to: peer.requests('UPDATE')[0] })
  assert.deepEqual(peer.heard.ends, ['lost'])
})

test('diverted calls are told as such', async () => {
  for (const [status, headers] of [
    [181, []],
    [180, [['diversion', '<sip:vm@127.0.0.2>;reason=no-answer']]],
    [183, [['history-info', '<sip:x@127.0.0.2?Reason=SIP%3Bcause%3D302>;index=1.1']]],
  ] as [number, [string, string][]][]) {
    const peer = scriptPeer()
    const diverted: boolean[] = []
    peer.invite({}, { onProgress: (progress) => diverted.push(progress.diverted) })
    peer.respond(status, { headers })
    assert.deepEqual(diverted, [true])
  }
})

test('closing ends what rings and what talks, and leaves nothing behind', async () => {
  const peer = scriptPeer()
  peer.invite()
  peer.respond(180)
  peer.invite()
  peer.respond(200, { tag: 'up' })
  const closing = peer.endpoint.close()
  await peer.clock.advance(3000)
  await closing
  assert.ok(peer.requests('CANCEL').length >= 1 && peer.requests('BYE').length >= 1)
  assert.deepEqual([peer.heard.failures[0].local, peer.heard.ends], ['closed', ['us']])
  assert.equal(peer.endpoint.pending, 0)
  assert.equal(peer.clock.pending, 0)
})
