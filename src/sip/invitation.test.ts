import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAR, farEnd } from './testbed.ts'

/** What makes one wish several INVITEs: credentials, a longer session interval, redirects. */

test('a challenge is answered with the next CSeq of the same call; a second refusal is the failure', () => {
  const far = farEnd()
  far.invite({ credentials: { user: 'u', password: 'p' } })
  const challenge: [string, string][] = [['proxy-authenticate', 'Digest realm="r", nonce="n", qop="auth"']]
  far.respond(407, { headers: challenge })
  const [first, second] = far.requests('INVITE')
  assert.deepEqual([second.callId, second.cseq.number], [first.callId, first.cseq.number + 1])
  assert.notEqual(second.via.branch, first.via.branch)
  assert.equal(second.headers.get('to')!.includes('tag='), false)
  assert.match(
    second.headers.get('proxy-authorization')!,
    /^Digest username="u", realm="r", nonce="n", uri="sip:41790000000@/,
  )
  far.respond(407, { headers: challenge })
  assert.equal(far.requests('INVITE').length, 2)
  assert.deepEqual(
    far.heard.failures.map(({ status, local }) => [status, local]),
    [[407, undefined]],
  )
})

test('the ACK shows the credentials of its INVITE, a challenged BYE is repeated with its own', () => {
  const far = farEnd()
  const call = far.invite({ credentials: { user: 'u', password: 'p' } })
  far.respond(401, { headers: [['www-authenticate', 'Digest realm="r", nonce="n", qop="auth"']] })
  far.respond(200)
  const invite = far.requests('INVITE')[1]
  assert.equal(far.requests('ACK')[1].headers.get('authorization'), invite.headers.get('authorization'))
  call.hangUp()
  far.respond(401, { method: 'BYE', headers: [['www-authenticate', 'Digest realm="r", nonce="m", qop="auth"']] })
  const [, bye] = far.requests('BYE')
  assert.match(bye.headers.get('authorization')!, /nonce="m".*nc=00000001/)
  assert.deepEqual(far.heard.ends, ['us'])
})

test('422 is answered once with the asked interval', () => {
  const far = farEnd()
  far.invite()
  far.respond(422, { headers: [['min-se', '1800']] })
  const [, again] = far.requests('INVITE')
  assert.deepEqual([again.headers.get('session-expires'), again.headers.get('min-se')], ['1800', '1800'])
  far.respond(422, { headers: [['min-se', '3600']] })
  assert.deepEqual(
    far.heard.failures.map(({ status }) => status),
    [422],
  )
})

test('a redirect is followed to the target itself or to a peer, best first, five times at most', () => {
  const peer = { host: '127.0.0.3', port: 5003 }
  const far = farEnd({ allowedPeers: () => [FAR, peer] })
  far.invite()
  const contact = `<sip:x@198.51.100.1>;q=1, <sip:other@${peer.host}:${peer.port}?Subject=x>;q=0.5, <sip:y@${FAR.host}:${FAR.port}>;q=0.1`
  far.respond(302, { contact })
  assert.deepEqual(far.sent.at(-1)!.to, peer)
  assert.equal(far.requests('INVITE')[1].uri, `sip:other@${peer.host}:${peer.port}`)
  for (let i = 0; i < 10; i++) far.respond(302, { contact })
  assert.equal(far.requests('INVITE').length, 6)
  assert.deepEqual(
    far.heard.failures.map(({ status }) => status),
    [302],
  )
})

for (const [why, status, contact] of [
  ['a stranger', 302, '<sip:x@198.51.100.1:5060>'],
  ['another port of our target', 302, `<sip:x@${FAR.host}:22>`],
  ['TCP', 302, `<sip:x@${FAR.host}:${FAR.port};transport=tcp>`],
  ['a web page', 302, '<http://example.com>'],
  ['a choice for people', 380, `<sip:x@${FAR.host}:${FAR.port}>`],
] as const) {
  test(`a redirect to ${why} is not followed: its status is the failure`, () => {
    const far = farEnd({ allowedPeers: () => [FAR] })
    far.invite()
    far.respond(status, { contact })
    assert.equal(far.requests('INVITE').length, 1)
    assert.deepEqual(
      far.heard.failures.map((failure) => failure.status),
      [status],
    )
  })
}
