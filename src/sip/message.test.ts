import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatMessage, header, headerValues, parseMessage, type SipMessage } from './message.ts'

const lines = (...all: string[]) => Buffer.from(all.join('\r\n'), 'latin1')
const CORE = [
  'Via: SIP/2.0/UDP h;branch=z9hG4bK1',
  'From: <sip:a@h>;tag=1',
  'To: <sip:b@h>',
  'Call-ID: c',
  'CSeq: 1 OPTIONS',
]
const options = (...more: string[]) => lines('OPTIONS sip:b@h SIP/2.0', ...CORE, ...more, '', '')

function read(bytes: Uint8Array): SipMessage {
  const message = parseMessage(bytes)
  if (message.kind === 'malformed') throw new Error(message.why)
  return message
}

test('a message is read however its peer writes: compact names, any case, folded lines, odd spaces', () => {
  // after RFC 4475 §3.1.1.1, a short tortuous INVITE
  const message = read(
    lines(
      '',
      'INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0',
      'TO :',
      ' sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n',
      'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>',
      '  ;',
      '  tag = 98asjd8',
      'MaX-fOrWaRdS: 0068',
      'I: intorture.892379',
      'Content-Length   : 4',
      'cseq: 0009',
      '  INVITE',
      'Via  : SIP  /   2.0',
      ' /UDP',
      '    192.0.2.2;branch=390skdjuw',
      's :',
      'NewFangledHeader:   newfangled value',
      ' continued newfangled value',
      'UnknownHeaderWithUnusualValue: ;;,,;;,;',
      'Route:',
      ' <sip:services.example.com;lr;unknownwith=value;unknown-no-value>',
      'v:  SIP  / 2.0  / TCP     spindle.example.com   ;',
      '  branch  =   z9hG4bK9ikj8  ,',
      ' SIP  /    2.0   / UDP  192.168.255.111   ; branch=',
      ' z9hG4bK30239',
      'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam',
      '      =',
      ' newvalue ; secondparam ; q = 0.33',
      '',
      'body and more',
    ),
  )
  assert.ok(message.kind === 'request')
  assert.deepEqual(
    [message.method, message.cseq, message.callId],
    ['INVITE', { number: 9, method: 'INVITE' }, 'intorture.892379'],
  )
  assert.deepEqual([message.via.host, message.via.branch], ['192.0.2.2', '390skdjuw'])
  assert.equal(headerValues(message, 'Via').length, 3)
  assert.equal(header(message, 'subject'), undefined)
  assert.equal(header(message, 'NEWFANGLEDHEADER'), 'newfangled value continued newfangled value')
  assert.match(header(message, 'm')!, /^"Quoted string/)
  assert.equal(Buffer.from(message.body).toString(), 'body', 'what lies past Content-Length is no body')
})

test('values joined by commas and values on lines of their own are the same; quoted commas divide nothing', () => {
  const message = read(
    options('Contact: "a, b" <sip:1@h;x=","?y>, <sip:2,3@h>', 'Contact: <sip:4@h>', 'Allow: INVITE,ACK , BYE'),
  )
  assert.deepEqual(headerValues(message, 'contact'), ['"a, b" <sip:1@h;x=","?y>', '<sip:2,3@h>', '<sip:4@h>'])
  assert.deepEqual(headerValues(message, 'allow'), ['INVITE', 'ACK', 'BYE'])
})

test('bytes of any encoding survive reading and writing unchanged', () => {
  const bytes = options('Subject: Gr\xc3\xbc\xc3\x9fe \xff', 'Content-Length: 0')
  assert.deepEqual(formatMessage(read(bytes)), bytes)
})

test('without a Content-Length the body reaches to the end of the datagram (RFC 3261 §18.3)', () => {
  const bytes = Buffer.concat([options('Content-Type: application/sdp'), Buffer.from([0, 1, 255])])
  assert.deepEqual([...read(bytes).body], [0, 1, 255])
})

const MALFORMED: [what: string, bytes: Uint8Array, answerable: boolean][] = [
  ['nothing', lines(''), false],
  ['no end of headers', lines('OPTIONS sip:b@h SIP/2.0', ...CORE), false],
  ['an HTTP request', lines('GET / HTTP/1.1', 'Host: h', '', ''), false],
  ['a STUN request', Buffer.from('000100002112a442aabbccddeeff001122334455', 'hex'), false],
  ['no Via', lines('OPTIONS sip:b@h SIP/2.0', ...CORE.slice(1), '', ''), false],
  ['no From', lines('OPTIONS sip:b@h SIP/2.0', ...CORE.filter((line) => !line.startsWith('From')), '', ''), false],
  ['no Call-ID', lines('OPTIONS sip:b@h SIP/2.0', ...CORE.filter((line) => !line.startsWith('Call')), '', ''), false],
  ['two From (RFC 4475 §3.3.8)', options('From: <sip:x@h>;tag=2'), false],
  ['two Call-IDs, one compact', options('i: other'), false],
  ['two Content-Lengths', options('Content-Length: 0', 'l: 0'), false],
  ['a negative Content-Length (§3.1.2.3)', options('Content-Length: -999'), true],
  ['a Content-Length that promises more (§3.1.2.2)', options('Content-Length: 9999'), true],
  ['another version (§3.1.2.16)', lines('OPTIONS sip:b@h SIP/7.0', ...CORE, '', ''), true],
  ['a CSeq with another method (§3.1.2.17)', lines('BYE sip:b@h SIP/2.0', ...CORE, '', ''), true],
  [
    'a CSeq past 2^31 (§3.1.2.4)',
    lines('OPTIONS sip:b@h SIP/2.0', ...CORE.slice(0, 4), 'CSeq: 36893488147419103232 OPTIONS', '', ''),
    false,
  ],
  ['spaces in the Request-URI (§3.1.2.8)', lines('OPTIONS sip:b@h; lr SIP/2.0', ...CORE, '', ''), false],
  ['brackets round the Request-URI (§3.1.2.7)', lines('OPTIONS <sip:b@h> SIP/2.0', ...CORE, '', ''), false],
  ['two spaces in the start line (§3.1.2.9)', lines('OPTIONS  sip:b@h  SIP/2.0', ...CORE, '', ''), false],
  ['a status of four digits (§3.1.2.19)', lines('SIP/2.0 4294967301 better not', ...CORE, '', ''), false],
  ['a header without a colon', options('Subject hello'), false],
  ['a space in a header name', options('Sub ject: hello'), false],
  ['a first line that is folded', lines('OPTIONS sip:b@h SIP/2.0', ' folded', ...CORE, '', ''), false],
  ['a bare line feed', options('Subject: a\nVia: SIP/2.0/UDP evil'), false],
  ['a bare carriage return', options('Subject: a\rb'), false],
  ['a NUL', options('Subject: a\0b'), false],
  ['300 headers', options(...Array.from({ length: 300 }, (_, i) => `X-${i}: y`)), false],
  ['headers of 20 kB', options(`Subject: ${'x'.repeat(20_000)}`), false],
]
for (const [what, bytes, answerable] of MALFORMED) {
  test(`${what} is malformed, and ${answerable ? 'can be answered' : 'can not be answered'}`, () => {
    const message = parseMessage(bytes)
    assert.ok(message.kind === 'malformed')
    assert.equal(message.request !== undefined, answerable, message.why)
  })
}

test('values made to be slow to read are read in no time', () => {
  const nasty = [
    `Via: SIP/2.0/UDP ${' '.repeat(15_000)}h`,
    `Via: SIP/2.0/UDP h${' '.repeat(15_000)}x`,
    `Via: SIP/2.0/UDP h${';branch = '.repeat(1500)}`,
    `Contact: ${'<'.repeat(15_000)}`,
    `Contact: ${'",'.repeat(7_500)}`,
    `Contact: ${'"\\'.repeat(7_500)}`,
    ...[`Subject:${'\r\n x'.repeat(3_900)}`],
  ]
  const begun = process.cpuUsage().user
  for (const line of nasty) {
    const message = parseMessage(
      lines('OPTIONS sip:b@h SIP/2.0', line, ...CORE.slice(line.startsWith('Via') ? 1 : 0), '', ''),
    )
    if (message.kind !== 'malformed') headerValues(message, 'contact')
  }
  assert.ok(process.cpuUsage().user - begun < 500_000)
})
