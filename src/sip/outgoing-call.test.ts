import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAR, farEnd, requestOf } from './testbed.ts'

/** The caller's side, message by message (RFC 3665 and what bites). */

test('a call: INVITE, 180, 200, ACK, and BYE from either side', async () => {
  const far = farEnd({ advertisedHost: '192.0.2.1' })
  const call = far.invite({ from: { uri: 'sip:pin@192.0.2.1', displayName: 'Pin "4" you' } })
  far.respond(100)
  far.respond(180)
  far.respond(200, { body: 'answer' })
  const [invite] = far.requests('INVITE')
  assert.match(invite.headers.get('via')!, /^SIP\/2\.0\/UDP 192\.0\.2\.1:5060;branch=z9hG4bK[0-9a-f]{20};rport$/)
  assert.equal(invite.headers.get('contact'), '<sip:pincall@192.0.2.1:5060>')
  assert.match(invite.headers.get('from')!, /^"Pin \\"4\\" you" <sip:pin@192\.0\.2\.1>;tag=[0-9a-f]{16}$/)
  assert.equal(Buffer.from(invite.body).toString(), 'offer')
  assert.deepEqual([far.heard.progress, far.heard.answers], [['180'], ['answer']])
  assert.deepEqual(
    far.requests('ACK').map(({ cseq }) => cseq.number),
    [invite.cseq.number],
  )
  assert.notEqual(far.requests('ACK')[0].via.branch, invite.via.branch)
  call.hangUp()
  call.hangUp()
  assert.deepEqual(far.heard.ends, ['us'])
  assert.deepEqual(
    far.requests('BYE').map(({ cseq }) => cseq.number),
    [invite.cseq.number + 1],
  )
})

test('the far end hangs up, with its cause', () => {
  const far = farEnd()
  const ends: unknown[] = []
  far.invite({}, { onEnd: (end) => ends.push(end) })
  far.respond(200)
  const [invite] = far.requests('INVITE')
  const reason = 'SIP;cause=200, Q.850 ; cause=16 ; text="Normal, clearing"'
  far.receive(requestOf('BYE', { dialog: invite, headers: [['reason', reason]] }))
  assert.deepEqual(far.statuses('BYE'), [200])
  assert.deepEqual(ends, [{ by: 'them', q850: 16, reason: 'SIP' }])
  far.receive(requestOf('BYE', { dialog: invite, cseq: 2 }))
  assert.deepEqual(far.statuses('BYE'), [200, 481])
})

test('requests in the call follow the Record-Route backwards, to the first proxy, with URI parameters kept', () => {
  const far = farEnd()
  far.invite()
  const routes = '<sip:127.0.0.4:5004;lr;did=1>, <sip:127.0.0.3:5003;transport=udp;lr=on>'
  far.respond(200, { headers: [['record-route', routes]], contact: '"B" <sip:b@127.0.0.9:5009;ob>;x=y' })
  const ack = far.sent.at(-1)!
  assert.deepEqual(ack.to, { host: '127.0.0.3', port: 5003 })
  assert.ok(ack.message.kind === 'request')
  assert.equal(ack.message.uri, 'sip:b@127.0.0.9:5009;ob')
  assert.deepEqual(ack.message.headers.list('route'), [
    '<sip:127.0.0.3:5003;transport=udp;lr=on>',
    '<sip:127.0.0.4:5004;lr;did=1>',
  ])
})

test('a first proxy that is a strict router gets its own URI, and the callee’s at the end of the Route', () => {
  const far = farEnd()
  far.invite()
  far.respond(200, {
    headers: [['record-route', '<sip:127.0.0.4;lr>, <sip:127.0.0.3:5003>']],
    contact: '<sip:b@127.0.0.9>',
  })
  const ack = far.sent.at(-1)!
  assert.deepEqual(ack.to, { host: '127.0.0.3', port: 5003 })
  assert.ok(ack.message.kind === 'request')
  assert.equal(ack.message.uri, 'sip:127.0.0.3:5003')
  assert.deepEqual(ack.message.headers.list('route'), ['<sip:127.0.0.4;lr>', '<sip:b@127.0.0.9>'])
})

test('without Record-Route the ACK goes to the Contact; without a usable Contact, where the INVITE went', () => {
  for (const [contact, to] of [
    ['<sip:b@127.0.0.9:5009>', { host: '127.0.0.9', port: 5009 }],
    ['<nonsense>', FAR],
  ] as const) {
    const far = farEnd()
    far.invite()
    far.respond(200, { contact })
    assert.deepEqual(far.sent.at(-1)!.to, to)
  }
})

test('hung up before anything came: no CANCEL until the first 1xx, then one, and the 487 ends it', async () => {
  const far = farEnd()
  const call = far.invite()
  call.hangUp()
  call.hangUp()
  await far.clock.advance(1000)
  assert.deepEqual([far.requests('CANCEL').length, far.times('INVITE')], [0, [0]])
  far.respond(180)
  far.respond(180)
  const [invite] = far.requests('INVITE')
  const cancels = far.requests('CANCEL')
  assert.equal(cancels.length, 1)
  for (const name of ['via', 'from', 'to', 'call-id'])
    assert.equal(cancels[0].headers.get(name), invite.headers.get(name))
  assert.deepEqual([cancels[0].uri, cancels[0].cseq.number], [invite.uri, invite.cseq.number])
  far.respond(200, { method: 'CANCEL' })
  assert.deepEqual(far.heard.failures, [])
  far.respond(487, { to: invite })
  assert.deepEqual(
    far.heard.failures.map(({ status, local, rang }) => [status, local, rang]),
    [[487, 'cancelled', true]],
  )
  assert.deepEqual(far.heard.progress, [], 'who has hung up hears of no ringing')
})

test('a 200 that crosses our CANCEL is ACKed, ended by BYE, and is no answer', async () => {
  const far = farEnd()
  const call = far.invite()
  far.respond(180)
  call.hangUp()
  far.respond(200, { to: far.requests('INVITE')[0] })
  assert.deepEqual([far.requests('ACK').length, far.requests('BYE').length], [1, 1])
  assert.deepEqual([far.heard.answers, far.heard.ends], [[], []])
  assert.deepEqual(
    far.heard.failures.map(({ local }) => local),
    ['cancelled'],
  )
})

test('ringing past its time: CANCEL; the failure is told with the 487, or after 32 s without one', async () => {
  for (const answered of [true, false]) {
    const far = farEnd()
    far.invite({ ringTimeoutMs: 10_000 })
    far.respond(180)
    await far.clock.advance(10_000)
    assert.equal(far.requests('CANCEL').length, 1)
    assert.deepEqual(far.heard.failures, [])
    if (answered) far.respond(487, { to: far.requests('INVITE')[0] })
    else await far.clock.advance(32_000)
    assert.deepEqual(
      far.heard.failures.map(({ local, rang }) => [local, rang]),
      [['ring_timeout', true]],
    )
    await far.clock.advance(33_000)
    assert.equal(far.endpoint.pending, 0)
    assert.equal(far.clock.pending, 0)
  }
})

test('not a word for noResponseMs: given up; a late 180 gets a CANCEL, a late 200 an ACK and a BYE', async () => {
  for (const late of [180, 200]) {
    const far = farEnd()
    far.invite({ noResponseMs: 2000 })
    await far.clock.advance(2000)
    assert.deepEqual(
      far.heard.failures.map(({ status, local }) => [status, local]),
      [[408, 'no_response']],
    )
    await far.clock.advance(10_000)
    assert.equal(far.times('INVITE').length, 3, 'nobody is asked any more')
    far.respond(late)
    const sent = ['CANCEL', 'ACK', 'BYE'].map((method) => far.requests(method).length)
    assert.deepEqual(sent, late === 180 ? [1, 0, 0] : [0, 1, 1])
    await far.clock.advance(100_000)
    assert.equal(far.heard.failures.length, 1)
    assert.equal(far.endpoint.pending, 0)
    assert.equal(far.clock.pending, 0)
  }
})

test('two phones of a fork answer: the first is kept, the other ACKed and ended, each 200 ACKed again', () => {
  const far = farEnd()
  far.invite()
  far.respond(180, { tag: 'a' })
  far.respond(180, { tag: 'b' })
  far.respond(200, { tag: 'b', body: 'from b' })
  far.respond(200, { tag: 'a', body: 'from a' })
  far.respond(200, { tag: 'a', body: 'from a', to: far.requests('INVITE')[0] })
  assert.deepEqual(far.heard.answers, ['from b'])
  assert.deepEqual(
    far.requests('ACK').map(({ headers }) => headers.get('to')!.slice(-5)),
    ['tag=b', 'tag=a', 'tag=a'],
  )
  assert.deepEqual(
    far.requests('BYE').map(({ headers }) => headers.get('to')!.slice(-5)),
    ['tag=a'],
  )
  assert.deepEqual(far.heard.ends, [])
})

test('a far end that rings with thousands of tags is still answered', () => {
  const far = farEnd()
  far.invite()
  for (let i = 0; i < 3000; i++) far.respond(180, { tag: `t${i}` })
  far.respond(200, { tag: 'last', body: 'yes' })
  assert.deepEqual(far.heard.answers, ['yes'])
  assert.ok(far.endpoint.pending < 40)
})

test('a BYE that overtakes its 200: answered, and ended at once', () => {
  const far = farEnd()
  far.invite()
  far.respond(180)
  far.receive(requestOf('BYE', { dialog: far.requests('INVITE')[0] }))
  assert.deepEqual([far.statuses('BYE'), far.heard.ends], [[200], []])
  far.respond(200)
  assert.deepEqual([far.heard.answers, far.heard.ends], [[''], ['them']])
  assert.equal(far.requests('ACK').length, 1)
})

test('a failure tells the Q.850 cause, Retry-After, the reason, and whether it rang', () => {
  const far = farEnd()
  far.invite()
  far.respond(182)
  far.respond(503, {
    headers: [
      ['reason', 'Q.850;cause=34;text="No circuit"'],
      ['retry-after', '120 (maintenance);duration=60'],
    ],
  })
  assert.deepEqual(far.heard.failures, [{ status: 503, reason: 'Said', q850: 34, retryAfterS: 120, rang: false }])
})

for (const [what, status, headers, told] of [
  ['181', 181, [], '181 diverted'],
  ['Diversion', 180, [['diversion', '<sip:x@h>;reason=no-answer']], '180 diverted'],
  [
    'History-Info with a cause of 3xx',
    183,
    [['history-info', '<sip:a@h?Reason=SIP%3Bcause%3D302>;index=1, <sip:b@h>;index=1.1']],
    '183 diverted',
  ],
  ['History-Info without one', 180, [['history-info', '<sip:a@h>;index=1']], '180'],
] as const) {
  test(`a call with ${what} is told as ${told}`, () => {
    const far = farEnd()
    far.invite()
    far.respond(status, { headers: headers.map(([name, value]) => [name, value]) })
    assert.deepEqual(far.heard.progress, [told])
  })
}

test('a reliable provisional answer gets one PRACK; repeated ones are told once, ones out of order not at all', () => {
  const far = farEnd()
  far.invite()
  const reliable = (rseq: number) =>
    far.respond(183, {
      to: far.requests('INVITE')[0],
      body: 'early',
      headers: [
        ['require', '100rel'],
        ['rseq', `${rseq}`],
      ],
    })
  for (const rseq of [988789, 988789, 988791, 988790]) reliable(rseq)
  const [invite] = far.requests('INVITE')
  assert.deepEqual(
    far.requests('PRACK').map(({ headers }) => headers.get('rack')),
    [988789, 988790].map((rseq) => `${rseq} ${invite.cseq.number} INVITE`),
  )
  assert.deepEqual(far.heard.progress, ['183', '183'])
  far.respond(200, { to: invite })
  assert.deepEqual(far.heard.answers, ['early'], 'the description of the reliable 183 stands (RFC 3261 §13.2.1)')
})

test('the description is found in a multipart body', () => {
  const far = farEnd()
  far.invite()
  const body =
    '--x\r\nContent-Type: application/isup\r\n\r\n\u0001\r\n--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--x--\r\n'
  far.respond(200, { body, headers: [['content-type', 'multipart/mixed;boundary="x"']] })
  assert.deepEqual(far.heard.answers, ['v=0'])
})

test('a handler that throws breaks nothing', () => {
  const far = farEnd()
  far.invite(
    {},
    {
      onProgress: () => {
        throw new Error('mine')
      },
    },
  )
  far.respond(180)
  far.respond(200)
  assert.deepEqual(far.heard.answers, [''])
})

for (const [what, change] of [
  ['a line break in a header', { headers: [['X-A', 'a\r\nVia: evil']] }],
  ['a header of the room’s own', { headers: [['Call-ID', 'x']] }],
  ['a URI that is none', { uri: 'sip:a b@h' }],
  ['a display name with a line break', { from: { uri: 'sip:a@h', displayName: 'a\r\nb' } }],
  ['a target without a port', { target: { host: '127.0.0.1', port: 0 } }],
] as const) {
  test(`an INVITE with ${what} is a mistake of the program: it throws, and nothing leaves`, () => {
    const far = farEnd()
    assert.throws(() => far.invite(change), TypeError)
    assert.deepEqual([far.sent.length, far.endpoint.pending, far.clock.pending], [0, 0, 0])
  })
}
