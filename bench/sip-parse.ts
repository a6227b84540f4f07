import { header, headerValues, parseMessage } from '../src/sip/index.ts'
import { SERVER_CORE, stayOn } from './lib/processes.ts'
import { median, report, roundsOr, say, scaled } from './lib/report.ts'

/**
 * One 200 (OK) with two Record-Routes, as a proxied INVITE is answered: bytes to message, and bytes to what a caller reads
 * of it, against npm `sip`, which takes every header apart whether it is read or not.
 */

const ROUNDS = roundsOr(9)
const MESSAGES = scaled(50_000)

const body = [
  'v=0',
  'o=- 53655765 2353687637 IN IP4 192.0.2.4',
  's=-',
  'c=IN IP4 192.0.2.4',
  't=0 0',
  'm=audio 49172 RTP/AVP 8 101',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=sendrecv',
  '',
].join('\r\n')
const message = Buffer.from(
  [
    'SIP/2.0 200 OK',
    'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK4f2c86aa61d10ad3;rport=5060;received=192.0.2.1',
    'Record-Route: <sip:192.0.2.3:5060;transport=udp;lr;did=3b1.0f62>',
    'Record-Route: <sip:192.0.2.2:5060;transport=udp;lr;ftag=8321234356>',
    'From: "Pincall" <sip:41440000000@192.0.2.1>;tag=8321234356',
    'To: <sip:+41793026727@192.0.2.2>;tag=314159as7d',
    'Call-ID: 9fa2ce1f0b7c4e88a3@192.0.2.1',
    'CSeq: 2 INVITE',
    'Contact: <sip:+41793026727@192.0.2.4:5062;transport=udp>',
    'Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE, PRACK, INFO',
    'Supported: timer, replaces',
    'Server: carrier gateway 4.2',
    'Content-Type: application/sdp',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n'),
)

/** What a caller asks of an answer: whose transaction, which dialog, and the way back. */
function readAsCaller(): number {
  const answer = parseMessage(message)
  if (answer.kind !== 'response') throw new Error(answer.kind)
  const branch = /;branch=([^;,]+)/.exec(header(answer, 'via') ?? '')?.[1]
  const tag = /;tag=([^;]+)/.exec(header(answer, 'to') ?? '')?.[1]
  const target = /<([^>]+)>/.exec(header(answer, 'contact') ?? '')?.[1]
  const routes = headerValues(answer, 'record-route')
  const wanted = [branch, tag, header(answer, 'call-id'), header(answer, 'cseq'), target]
  if (wanted.includes(undefined) || routes.length !== 2) throw new Error('the message was misread')
  return answer.body.length
}

function parseOnly(): number {
  const answer = parseMessage(message)
  if (answer.kind !== 'response' || answer.status !== 200) throw new Error(answer.kind)
  return answer.body.length
}

function nsEach(parse: () => number): number {
  const begun = process.hrtime.bigint()
  let bytes = 0
  for (let i = 0; i < MESSAGES; i++) bytes += parse()
  const ns = Number(process.hrtime.bigint() - begun)
  if (bytes !== MESSAGES * body.length) throw new Error('a body was lost')
  return ns / MESSAGES
}

type Peer = {
  parse(data: Buffer): { status: number; content: string; headers: { 'record-route': unknown[] } } | undefined
}

stayOn(SERVER_CORE)
const peer: Peer = await import(new URL('./peer/sip-parser.mjs', import.meta.url).href)
const parseByPeer = (): number => {
  const answer = peer.parse(message)
  if (answer?.status !== 200 || answer.headers['record-route'].length !== 2) throw new Error('the peer misread it')
  return answer.content.length
}

const figures = { parse: [] as number[], read: [] as number[], peer: [] as number[] }
for (let round = 0; round <= ROUNDS; round++) {
  const [parse, read, other] = [nsEach(parseOnly), nsEach(readAsCaller), nsEach(parseByPeer)]
  if (round === 0) continue // warm-up
  figures.parse.push(parse)
  figures.read.push(read)
  figures.peer.push(other)
}
report({
  name: 'sip-parse.parse',
  value: figures.parse,
  unit: 'ns per message',
  note: '200 OK with two Record-Routes and SDP: bytes to headers',
})
report({
  name: 'sip-parse.read',
  value: figures.read,
  unit: 'ns per message',
  note: 'and from them branch, tag, Call-ID, CSeq, Contact, route set',
})
report({
  name: 'sip-parse.sip-0.0.6',
  value: figures.peer,
  unit: 'ns per message',
  note: 'npm sip: every header taken apart',
})
report({
  name: 'sip-parse.against-sip-0.0.6',
  value: median(figures.peer) / median(figures.read),
  unit: 'times faster, read against its parse',
})
say('sip-parse: done')
