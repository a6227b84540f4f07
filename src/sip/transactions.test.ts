import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAR, farEnd, requestOf } from './testbed.ts'

/** The timers of RFC 3261 table 4 and RFC 6026, seen from outside: what leaves, and when. T1 is 500 ms. */

test('A and B: an unanswered INVITE goes out again after 0.5, 1.5, 3.5 … s, until 32 s', async () => {
  const far = farEnd()
  far.invite({ noResponseMs: 40_000 })
  await far.clock.advance(31_999)
  assert.deepEqual(far.times('INVITE'), [0, 500, 1500, 3500, 7500, 15_500, 31_500])
  assert.deepEqual(far.heard.failures, [])
  await far.clock.advance(1)
  assert.deepEqual(
    far.heard.failures.map(({ status, local }) => [status, local]),
    [[408, 'no_response']],
  )
  assert.equal(far.endpoint.pending, 0)
  assert.equal(far.clock.pending, 0)
})

test('a provisional answer stops the repeating', async () => {
  const far = farEnd()
  far.invite()
  far.respond(100)
  await far.clock.advance(20_000)
  assert.deepEqual(far.times('INVITE'), [0])
})

test('D: a failure is ACKed inside the transaction, again for each time it comes, for 32 s', async () => {
  const far = farEnd()
  far.invite()
  far.respond(486)
  far.respond(486)
  await far.clock.advance(31_999)
  far.respond(486)
  const [invite] = far.requests('INVITE')
  const acks = far.requests('ACK')
  assert.equal(acks.length, 3)
  for (const ack of acks) {
    assert.deepEqual([ack.via.branch, ack.uri, ack.cseq.number], [invite.via.branch, invite.uri, invite.cseq.number])
    assert.match(ack.headers.get('to')!, /tag=far$/)
  }
  assert.equal(far.heard.failures.length, 1)
  await far.clock.advance(1)
  assert.equal(far.endpoint.pending, 0)
  far.respond(486)
  assert.equal(far.requests('ACK').length, 3)
})

test('M: each repeated 2xx is ACKed again for 32 s, also after our BYE', async () => {
  const far = farEnd()
  const call = far.invite()
  far.respond(200)
  far.respond(200)
  call.hangUp()
  far.respond(200, { method: 'BYE' })
  await far.clock.advance(31_999)
  const [invite] = far.requests('INVITE')
  far.respond(200, { to: invite })
  assert.equal(far.requests('ACK').length, 3)
  assert.deepEqual(far.heard.answers, [''])
  await far.clock.advance(1)
  assert.equal(far.endpoint.pending, 0)
})

test('E, F and K: a BYE goes out again after 0.5, 1.5, 3.5, then each 4 s, until 32 s', async () => {
  const far = farEnd()
  const call = far.invite()
  far.respond(200)
  call.hangUp()
  await far.clock.advance(40_000)
  assert.deepEqual(far.times('BYE'), [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500])
  assert.equal(far.endpoint.pending, 0)
})

test('E: after a provisional answer a BYE repeats each 4 s only', async () => {
  const far = farEnd()
  const call = far.invite()
  far.respond(200)
  call.hangUp()
  far.respond(100, { method: 'BYE' })
  await far.clock.advance(10_000)
  assert.deepEqual(far.times('BYE'), [0, 500, 4500, 8500])
  far.respond(200, { method: 'BYE' })
  await far.clock.advance(30_000)
  assert.equal(far.times('BYE').length, 4)
})

test('G, H and I: our refusal of an INVITE goes out again until its ACK', async () => {
  const far = farEnd()
  far.endpoint.onInvite((call) => call.reject(486, 'Busy Here'))
  const invite = requestOf('INVITE', { branch: 'z9hG4bKg', headers: [['call-id', 'g']] })
  far.receive(invite)
  await far.clock.advance(4000)
  assert.deepEqual(far.statuses('INVITE'), [486, 486, 486, 486])
  const to = far.lastResponse().headers.get('to')!
  far.receive(
    requestOf('ACK', {
      branch: 'z9hG4bKg',
      headers: [
        ['call-id', 'g'],
        ['to', to],
      ],
    }),
  )
  far.receive(invite)
  await far.clock.advance(4999)
  assert.equal(far.statuses('INVITE').length, 4, 'confirmed: nothing is repeated')
  await far.clock.advance(1)
  assert.equal(far.endpoint.pending, 0)
})

test('H: without an ACK the refusal is given up after 32 s', async () => {
  const far = farEnd()
  far.receive(requestOf('INVITE'))
  await far.clock.advance(32_000)
  assert.deepEqual(
    far.statuses('INVITE'),
    Array.from({ length: 11 }, () => 603),
  )
  assert.equal(far.endpoint.pending, 0)
  assert.equal(far.clock.pending, 0)
})

test('L: a repeated INVITE of an answered call is absorbed; our 200 repeats by itself until the ACK', async () => {
  const far = farEnd()
  const facts: string[] = []
  far.endpoint.onInvite((call) => {
    call.handlers = { onConfirmed: () => facts.push('confirmed'), onEnd: ({ by }) => facts.push(`ended by ${by}`) }
    call.answer(Buffer.from('answer'))
  })
  const invite = requestOf('INVITE')
  far.receive(invite)
  far.receive(invite)
  assert.deepEqual(far.statuses('INVITE'), [200])
  await far.clock.advance(3600)
  assert.deepEqual(far.statuses('INVITE'), [200, 200, 200, 200])
  await far.clock.advance(30_000)
  assert.deepEqual(facts, ['ended by lost'])
  assert.equal(far.requests('BYE').length > 0, true, 'RFC 3261 §13.3.1.4: BYE after 64×T1 without ACK')
})

test('J: a repeated request outside a call is answered as before for 32 s', async () => {
  const far = farEnd()
  const options = requestOf('OPTIONS')
  far.receive(options)
  const first = far.lastResponse()
  await far.clock.advance(31_999)
  far.receive(options)
  assert.deepEqual(far.lastResponse().headers.get('to'), first.headers.get('to'))
  await far.clock.advance(1)
  assert.equal(far.endpoint.pending, 0)
})

test('a smaller T1 shrinks all of them', async () => {
  const far = farEnd({ t1Ms: 10 })
  far.invite()
  await far.clock.advance(640)
  assert.deepEqual(far.times('INVITE'), [0, 10, 30, 70, 150, 310, 630])
  assert.equal(far.clock.pending, 0)
})

test('after two tries in silence the address is probed, and where nobody listens the call fails at once', async () => {
  const far = farEnd()
  far.invite()
  await far.clock.advance(1500)
  assert.deepEqual(far.probed, [`${FAR.host}:${FAR.port}`])
  far.endpoint.refused({ host: FAR.host, port: 1 })
  assert.deepEqual(far.heard.failures, [])
  far.endpoint.refused(FAR)
  assert.deepEqual(
    far.heard.failures.map(({ local, rang }) => [local, rang]),
    [['unreachable', false]],
  )
  assert.equal(far.endpoint.pending, 0)
})
