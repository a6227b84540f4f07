import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Random, seededRandom } from '../random.ts'
import { formatMessage, headerValues, parseMessage } from './message.ts'
import { farEnd, requestOf, responseTo } from './testbed.ts'
import { parseNameAddress, parseUri } from './uri.ts'

/** Seeded fuzzing for a bounded number of rounds: nothing a peer sends may throw, hang, or end the process. */

const SEED = process.env.FUZZ_SEED ?? 'pincall'
const ROUNDS = 30_000

const PIECES = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\r\n ',
    '\0',
    ' ',
    '\t',
    ':',
    ';',
    ',',
    '"',
    '\\',
    '<',
    '>',
    '=',
    '@',
    '%',
    '%00',
    '[',
    ']',
    '[::1]',
    '?',
  ],
  ...[
    'SIP/2.0',
    'INVITE',
    'sip:',
    'tel:',
    'Via:',
    'v:',
    'To: ',
    ';tag=',
    ';branch=z9hG4bK',
    'CSeq: 1 BYE',
    'Content-Length: 9',
  ],
  ...[
    '99999999999999999999',
    '-1',
    '4294967296',
    '\xff\xfe',
    'Require: 100rel',
    'RSeq: 1',
    'Contact: *',
    'Record-Route: <sip:x>',
  ],
  ...[
    'Session-Expires: 0',
    'Session-Expires: 99999999999;refresher=uac',
    'WWW-Authenticate: Digest',
    ', Digest realm=',
    'lr',
    'rport',
  ],
]

/** Some bytes changed, cut out, doubled, or replaced by something that a grammar trips over. */
function mutate(bytes: Buffer, random: Random): Buffer {
  let made = bytes
  for (let i = 1 + random.int(4); i > 0; i--) {
    const [a, b] = [random.int(made.length + 1), random.int(made.length + 1)].sort((x, y) => x - y)
    const piece = Buffer.from(PIECES[random.int(PIECES.length)], 'latin1')
    const middle = made.subarray(a, Math.min(b, a + 200))
    const changes = [
      () => [made.subarray(0, a), piece, made.subarray(a)],
      () => [made.subarray(0, a), piece, made.subarray(a + piece.length)],
      () => [made.subarray(0, a), made.subarray(a + middle.length)],
      () => [made.subarray(0, b), middle, made.subarray(b)],
      () => [made.subarray(0, a), random.bytes(1 + random.int(4)), made.subarray(a + 1)],
      () => [made.subarray(0, a)],
    ]
    made = Buffer.concat(changes[random.int(changes.length)]())
  }
  return made
}

const AUTH: [string, string][] = [
  ['www-authenticate', 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256, stale=true'],
]
const ROUTED: [string, string][] = [
  ['record-route', '<sip:127.0.0.3;lr>, "x" <sip:127.0.0.4:5062>'],
  ['session-expires', '90;refresher=uac'],
]

test(`${ROUNDS} damaged messages are read or refused, and what was read can be written and read again`, () => {
  const random = seededRandom(`${SEED} messages`)
  const samples = [
    requestOf('INVITE', { body: 'v=0\r\n', headers: ROUTED }),
    requestOf('OPTIONS', { headers: [['contact', '"a, \\"b" <sip:1@[::1]:5060;lr?x=y>;q=0.5, sip:2@h;x']] }),
    Buffer.from(
      'SIP/2.0 180 Ringing\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: a <sip:a@h>\r\n ;tag=1\r\nt: <sip:b@h>;tag=2\r\ni: c\r\nCSeq: 1 INVITE\r\nl: 0\r\n\r\n',
    ),
  ]
  let readable = 0
  for (let i = 0; i < ROUNDS; i++) {
    const message = parseMessage(mutate(samples[i % samples.length], random))
    if (message.kind === 'malformed') continue
    readable++
    for (const name of ['from', 'to', 'contact', 'record-route'])
      for (const value of headerValues(message, name)) parseNameAddress(value)
    if (message.kind === 'request') parseUri(message.uri)
    const again = parseMessage(formatMessage(message))
    assert.ok(again.kind !== 'malformed', `${SEED} ${i}`)
    assert.deepEqual(
      again.headers.filter(([name]) => name !== 'content-length'),
      message.headers.filter(([name]) => name !== 'content-length'),
    )
    assert.deepEqual(Buffer.from(again.body), Buffer.from(message.body))
  }
  assert.ok(readable > ROUNDS / 20 && readable < ROUNDS, `${readable} of ${ROUNDS} were readable`)
})

test('an endpoint in the middle of calls lives through damaged requests and answers, and leaks nothing', async () => {
  const random = seededRandom(`${SEED} endpoint`)
  for (let round = 0; round < 120; round++) {
    const far = farEnd()
    const mistakes: unknown[] = []
    far.endpoint.onInvite((call) => {
      call.handlers = { onOffer: () => Buffer.from('answer') }
      ;[() => call.answer(Buffer.from('answer')), () => call.reject(486, 'Busy'), () => call.progress(180, 'Ringing')][
        random.int(3)
      ]()
    })
    const handlers = { onOffer: () => Buffer.from('answer') }
    const call = far.invite({ credentials: { user: 'u', password: 'p' } }, handlers)
    for (let i = 0; i < 40; i++) {
      const [invite] = far.requests('INVITE').slice(-1)
      const answers = [100, 180, 183, 200, 200, 302, 401, 422, 486, 487].map(
        (status) => () =>
          responseTo(invite, status, { headers: status === 401 ? AUTH : ROUTED, tag: `t${random.int(3)}` }),
      )
      const asked = ['BYE', 'INVITE', 'UPDATE', 'INFO', 'PRACK', 'CANCEL', 'ACK'].map(
        (method) => () => requestOf(method, { dialog: invite, cseq: i, tag: `t${random.int(3)}`, body: 'x' }),
      )
      const choices = [...answers, ...asked, () => requestOf('INVITE', { headers: ROUTED })]
      const bytes = choices[random.int(choices.length)]()
      try {
        far.receive(random.int(3) ? mutate(bytes, random) : bytes)
      } catch (error) {
        mistakes.push(error)
      }
      if (i === 30) call.hangUp()
      if (random.int(8) === 0) await far.clock.advance(random.int(3000))
    }
    assert.deepEqual(mistakes, [], `${SEED} ${round}`)
    assert.ok(far.heard.failures.length + far.heard.answers.length <= 1, `${SEED} ${round}: told once`)
    assert.ok(far.heard.ends.length <= far.heard.answers.length, `${SEED} ${round}: ended once, and only if answered`)
    const closed = far.endpoint.close()
    await far.clock.advance(2000)
    await closed
    assert.deepEqual([far.endpoint.pending, far.clock.pending], [0, 0], `${SEED} ${round}`)
    assert.equal(far.heard.failures.length + far.heard.ends.length, 1, `${SEED} ${round}: the call has come to an end`)
  }
})
