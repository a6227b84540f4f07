import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { seededRandom } from '../random.ts'
import { Authenticator, authorization, parseChallenge } from './digest.ts'
import { parseDigestParams } from './headers.ts'
import { type Header, Headers, parseMessage, type SipResponse } from './message.ts'

/** RFC 7616 §3.9.1: the same request under MD5 and SHA-256. */
const MUFASA = { user: 'Mufasa', password: 'Circle of Life' }
const USE = {
  method: 'GET',
  uri: '/dir/index.html',
  body: new Uint8Array(0),
  nc: 1,
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
}
const rfc7616 = (algorithm: string) =>
  parseChallenge(
    `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, ` +
      'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
  )!

for (const [algorithm, response] of [
  ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
  ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
]) {
  test(`the example of RFC 7616 §3.9.1 with ${algorithm}`, () => {
    const params = parseDigestParams(authorization(rfc7616(algorithm), MUFASA, USE))!
    assert.equal(params.get('response'), response)
    assert.deepEqual([params.get('qop'), params.get('nc'), params.get('algorithm')], ['auth', '00000001', algorithm])
  })
}

test('SHA-512-256 and a name that is not ASCII, with the values of RFC 7616 §3.9.2 but no userhash', () => {
  const challenge = parseChallenge(
    'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, ' +
      'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS"',
  )!
  const use = { ...USE, uri: '/doe.json', cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm' }
  const params = parseDigestParams(authorization(challenge, { user: 'Jäsøn Doe', password: 'Secret, or not?' }, use))!
  const h = (text: string) => createHash('sha512-256').update(text).digest('hex')
  const a1 = h('Jäsøn Doe:api@example.org:Secret, or not?')
  const expected = h(`${a1}:${challenge.nonce}:00000001:${use.cnonce}:auth:${h('GET:/doe.json')}`)
  assert.equal(params.get('response'), expected)
})

test('the example of RFC 2617 without qop, as old proxies ask, and the -sess form', () => {
  const old = parseChallenge('Digest realm="biloxi.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"')!
  const use = { ...USE, method: 'INVITE', uri: 'sip:bob@biloxi.com' }
  const h = (text: string) => createHash('md5').update(text).digest('hex')
  const a1 = h('bob:biloxi.com:zanzibar')
  const params = parseDigestParams(authorization(old, { user: 'bob', password: 'zanzibar' }, use))!
  assert.equal(params.get('response'), h(`${a1}:${old.nonce}:${h('INVITE:sip:bob@biloxi.com')}`))
  assert.deepEqual([params.has('qop'), params.has('nc'), params.has('algorithm')], [false, false, false])
  const session = parseChallenge('Digest realm="biloxi.com", nonce="n", algorithm=MD5-sess, qop="auth"')!
  const shown = parseDigestParams(authorization(session, { user: 'bob', password: 'zanzibar' }, use))!
  const a1s = h(`${a1}:n:${use.cnonce}`)
  assert.equal(shown.get('response'), h(`${a1s}:n:00000001:${use.cnonce}:auth:${h('INVITE:sip:bob@biloxi.com')}`))
})

test('auth-int covers the body where nothing else is offered', () => {
  const challenge = parseChallenge('Digest realm="r", nonce="n", qop="auth-int"')!
  const one = authorization(challenge, MUFASA, { ...USE, body: Buffer.from('one') })
  const two = authorization(challenge, MUFASA, { ...USE, body: Buffer.from('two') })
  assert.notEqual(parseDigestParams(one)!.get('response'), parseDigestParams(two)!.get('response'))
})

for (const line of [
  'Basic realm="r"',
  'Digest nonce="n"',
  'Digest realm="r"',
  'Digest realm="r", nonce="n", algorithm=SHA-1',
  'Digest realm="r", nonce="n", qop="token"',
  '',
]) {
  test(`a challenge that can not be met is passed over: ${line || 'nothing'}`, () => {
    assert.equal(parseChallenge(line), undefined)
  })
}

function challenged(...headers: Header[]): SipResponse {
  const core =
    'SIP/2.0 401 No\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n'
  const message = parseMessage(Buffer.from(core))
  if (message.kind !== 'response') throw new Error(message.kind)
  return { ...message, headers: Headers.from(headers) as Headers }
}
const www = (rest: string): Header => ['www-authenticate', `Digest realm="r", ${rest}`]
const shown = (auth: Authenticator) =>
  auth
    .headersFor('INVITE', 'sip:b@h', new Uint8Array(0))
    .map(([name, value]) => ({ name, params: parseDigestParams(value)! }))

test('of several challenges the strongest is met, on lines of their own or on one line', () => {
  for (const headers of [
    [
      www('nonce="1", algorithm=MD5'),
      www('nonce="2", algorithm=SHA-512-256, qop="auth"'),
      www('nonce="3", algorithm=SHA-256'),
    ],
    [
      [
        'www-authenticate',
        'Digest realm="r", nonce="1", algorithm=MD5, Digest realm="r", nonce="2", algorithm=SHA-512-256, qop="auth"',
      ],
    ],
  ] satisfies Header[][]) {
    const auth = new Authenticator(MUFASA, seededRandom('digest'))
    assert.ok(auth.take(challenged(...headers), new Set()))
    assert.deepEqual(
      shown(auth).map(({ params }) => params.get('algorithm')),
      ['SHA-512-256'],
    )
  }
})

test('a realm is answered once, once more where its nonce was stale, and never again', () => {
  const auth = new Authenticator(MUFASA, seededRandom('digest'))
  const tried = new Set<string>()
  assert.ok(auth.take(challenged(www('nonce="1", qop="auth"')), tried))
  assert.ok(auth.take(challenged(www('nonce="2", qop="auth", stale=TRUE')), tried))
  assert.equal(auth.take(challenged(www('nonce="3", qop="auth", stale=true')), tried), false)
  assert.equal(auth.take(challenged(www('nonce="3", qop="auth"')), tried), false)
})

test('a proxy and the callee may both ask; each further request counts nc up and shows both', () => {
  const auth = new Authenticator(MUFASA, seededRandom('digest'))
  const tried = new Set<string>()
  assert.ok(auth.take(challenged(['proxy-authenticate', 'Digest realm="r", nonce="p", qop="auth"']), tried))
  assert.ok(auth.take(challenged(www('nonce="w", qop="auth"')), tried))
  shown(auth)
  const second = shown(auth)
  assert.deepEqual(
    second.map(({ name }) => name),
    ['proxy-authorization', 'authorization'],
  )
  assert.deepEqual(
    second.map(({ params }) => params.get('nc')),
    ['00000002', '00000002'],
  )
})

test('without credentials no challenge is met', () => {
  assert.equal(
    new Authenticator(undefined, seededRandom('digest')).take(challenged(www('nonce="1"')), new Set()),
    false,
  )
})
