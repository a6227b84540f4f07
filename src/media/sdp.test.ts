import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as oracle from 'sdp-transform'
import { seededRandom } from '../random.ts'
import { answerOffer, makeOffer, readAnswer } from './sdp.ts'
import type { Codec, NegotiatedAudio, SdpRefusal } from './types.ts'

const FUZZ_MS = 1500
const LOCAL = { host: '192.0.2.1', port: 20_000 }
const BOTH: Codec[] = ['PCMU', 'PCMA']
const OURS = { local: LOCAL, codecs: BOTH, sessionId: '42', sessionVersion: 1 }
const OFFER = makeOffer({ ...OURS, ptimeMs: 20 })

const sdp = (...lines: string[]): Uint8Array => Buffer.from(`${lines.join('\r\n')}\r\n`)
const theirs = (...lines: string[]): Uint8Array =>
  sdp('v=0', 'o=- 1 1 IN IP4 198.51.100.7', 's=-', 'c=IN IP4 198.51.100.7', 't=0 0', ...lines)
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

test('our offer says to an independent parser what we mean', () => {
  const read = oracle.parse(text(OFFER))
  assert.equal(read.media.length, 1)
  const [audio] = read.media
  assert.deepEqual(
    [audio?.type, audio?.port, audio?.protocol, audio?.payloads],
    ['audio', 20_000, 'RTP/AVP', '0 8 101'],
  )
  assert.deepEqual(
    audio?.rtp.map(({ payload, codec, rate }) => [payload, codec, rate]),
    [
      [0, 'PCMU', 8000],
      [8, 'PCMA', 8000],
      [101, 'telephone-event', 8000],
    ],
  )
  assert.deepEqual(audio?.fmtp, [{ payload: 101, config: '0-15' }])
  assert.deepEqual([audio?.ptime, audio?.direction], [20, 'sendrecv'])
  assert.deepEqual([read.connection, read.origin?.address], [{ version: 4, ip: '192.0.2.1' }, '192.0.2.1'])
})

test('an answer written by an independent library is read', () => {
  const answer = oracle.write({
    version: 0,
    origin: { username: '-', sessionId: 9, sessionVersion: 2, netType: 'IN', ipVer: 4, address: '198.51.100.7' },
    name: '-',
    timing: { start: 0, stop: 0 },
    media: [
      {
        type: 'audio',
        port: 4000,
        protocol: 'RTP/AVP',
        payloads: '8 101',
        connection: { version: 4, ip: '198.51.100.9' },
        rtp: [
          { payload: 8, codec: 'PCMA', rate: 8000 },
          { payload: 101, codec: 'telephone-event', rate: 8000 },
        ],
        fmtp: [{ payload: 101, config: '0-16' }],
        ptime: 30,
      },
    ],
  })
  assert.deepEqual(readAnswer(OFFER, Buffer.from(answer)), {
    remote: { host: '198.51.100.9', port: 4000 },
    codec: 'PCMA',
    payloadType: 8,
    ptimeMs: 30,
    direction: 'sendrecv',
    dtmfPayloadType: 101,
  })
})

type Expected = Partial<NegotiatedAudio> | SdpRefusal['refused']
const ANSWERS: { name: string; answer: Uint8Array; expected: Expected }[] = [
  {
    name: 'static payload types need no rtpmap',
    answer: theirs('m=audio 4000 RTP/AVP 0'),
    expected: { codec: 'PCMU', payloadType: 0, ptimeMs: 20, direction: 'sendrecv' },
  },
  {
    name: 'the first of the answer that was offered is taken',
    answer: theirs('m=audio 4000 RTP/AVP 18 8 0', 'a=rtpmap:18 G729/8000'),
    expected: { codec: 'PCMA', payloadType: 8 },
  },
  {
    name: 'dynamic numbers are theirs to choose, ours to hear',
    answer: theirs(
      'm=audio 4000 RTP/AVP 97 96',
      'a=rtpmap:96 telephone-event/8000',
      'a=rtpmap:97 pcma/8000/1',
      'a=ptime:10',
    ),
    expected: { codec: 'PCMA', payloadType: 97, ptimeMs: 10, dtmfPayloadType: 96, dtmfReceivePayloadType: 101 },
  },
  {
    name: 'telephone-events at another clock rate are none',
    answer: theirs('m=audio 4000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/16000'),
    expected: { codec: 'PCMU' },
  },
  {
    name: 'a held call is only listened to',
    answer: theirs('m=audio 4000 RTP/AVP 0', 'a=sendonly'),
    expected: { direction: 'recvonly' },
  },
  {
    name: 'a far end that only listens is only sent to',
    answer: theirs('a=recvonly', 'm=audio 4000 RTP/AVP 0'),
    expected: { direction: 'sendonly' },
  },
  {
    name: 'inactive is inactive',
    answer: theirs('m=audio 4000 RTP/AVP 0', 'a=inactive'),
    expected: { direction: 'inactive' },
  },
  {
    name: 'the address 0.0.0.0 holds the call as of old',
    answer: theirs('m=audio 4000 RTP/AVP 0', 'c=IN IP4 0.0.0.0'),
    expected: { direction: 'recvonly' },
  },
  {
    name: 'a packet time that we do not speak becomes the nearest that we do',
    answer: theirs('m=audio 4000 RTP/AVP 0', 'a=ptime:60'),
    expected: { ptimeMs: 30 },
  },
  {
    name: 'a greatest packet time is kept to',
    answer: theirs('m=audio 4000 RTP/AVP 0', 'a=ptime:30', 'a=maxptime:20'),
    expected: { ptimeMs: 20 },
  },
  {
    name: 'an IPv6 address is one',
    answer: theirs('m=audio 4000 RTP/AVP 0', 'c=IN IP6 2001:db8::1'),
    expected: { remote: { host: '2001:db8::1', port: 4000 } },
  },
  {
    name: 'lines may end in LF alone, and times be forgotten',
    answer: Buffer.from('v=0\no=- 1 1 IN IP4 1.2.3.4\nc=IN IP4 1.2.3.4\nm=audio 4000 RTP/AVP 0\n'),
    expected: { remote: { host: '1.2.3.4', port: 4000 } },
  },
  { name: 'port 0 rejects', answer: theirs('m=audio 0 RTP/AVP 0'), expected: 'rejected' },
  { name: 'G.729 alone is no common codec', answer: theirs('m=audio 4000 RTP/AVP 18'), expected: 'no_common_codec' },
  {
    name: 'wide-band PCMU is not PCMU',
    answer: theirs('m=audio 4000 RTP/AVP 96', 'a=rtpmap:96 PCMU/16000'),
    expected: 'no_common_codec',
  },
  { name: 'video is no audio', answer: theirs('m=video 4000 RTP/AVP 31'), expected: 'no_audio' },
  { name: 'SRTP was not offered', answer: theirs('m=audio 4000 RTP/SAVP 0'), expected: 'no_audio' },
  { name: 'no stream at all', answer: theirs(), expected: 'no_audio' },
  {
    name: 'more streams than offered',
    answer: theirs('m=audio 4000 RTP/AVP 0', 'm=audio 4002 RTP/AVP 0'),
    expected: 'malformed',
  },
  { name: 'an empty body', answer: new Uint8Array(0), expected: 'malformed' },
  { name: 'a web page', answer: Buffer.from('<html></html>'), expected: 'malformed' },
  { name: 'no origin', answer: sdp('v=0', 's=-', 'c=IN IP4 1.2.3.4', 'm=audio 4000 RTP/AVP 0'), expected: 'malformed' },
  { name: 'no address', answer: sdp('v=0', 'o=- 1 1 IN IP4 1.2.3.4', 'm=audio 4000 RTP/AVP 0'), expected: 'malformed' },
  { name: 'a port over 65535', answer: theirs('m=audio 70000 RTP/AVP 0'), expected: 'malformed' },
  { name: 'a payload type over 127', answer: theirs('m=audio 4000 RTP/AVP 200'), expected: 'malformed' },
  {
    name: 'a host name for an address',
    answer: theirs('m=audio 4000 RTP/AVP 0', 'c=IN IP4 gw.example'),
    expected: 'malformed',
  },
  { name: 'an rtpmap of nonsense', answer: theirs('m=audio 4000 RTP/AVP 96', 'a=rtpmap:96'), expected: 'malformed' },
  { name: 'a line without a letter', answer: theirs('m=audio 4000 RTP/AVP 0', 'hello'), expected: 'malformed' },
  { name: 'sixty kilobytes', answer: theirs(...Array<string>(6000).fill('a=x:12345')), expected: 'malformed' },
]

for (const { name, answer, expected } of ANSWERS) {
  test(`an answer: ${name}`, () => {
    const read = readAnswer(OFFER, answer)
    if (typeof expected === 'string') {
      assert.equal('refused' in read && read.refused, expected)
      assert.ok('refused' in read && read.detail.length > 0)
    } else {
      assert.ok(!('refused' in read), `refused: ${JSON.stringify(read)}`)
      const picked = Object.fromEntries(Object.keys(expected).map((key) => [key, read[key as keyof NegotiatedAudio]]))
      assert.deepEqual(picked, expected)
      assert.equal(read.dtmfPayloadType, expected.dtmfPayloadType)
    }
  })
}

function answered(offer: Uint8Array, codecs = BOTH): { answer: Uint8Array; audio: NegotiatedAudio } {
  const result = answerOffer(offer, { ...OURS, codecs })
  assert.ok(!('refused' in result), `refused: ${JSON.stringify(result)}`)
  return result
}

test('an offer of ours answered by us is agreed on by both', () => {
  for (const ptimeMs of [10, 20, 30] as const) {
    const offer = makeOffer({ ...OURS, ptimeMs })
    const { answer, audio } = answered(offer, ['PCMA'])
    assert.deepEqual(readAnswer(offer, answer), audio)
    assert.deepEqual([audio.codec, audio.ptimeMs, audio.dtmfPayloadType], ['PCMA', ptimeMs, 101])
  }
})

test('the answer keeps every stream of the offer in its place and rejects what is not ours', () => {
  const offer = theirs(
    'm=video 6000 RTP/AVP 31',
    'm=audio 4000 RTP/SAVP 0',
    'm=audio 4002 RTP/AVP 18 8 99',
    'a=rtpmap:99 telephone-event/8000',
    'a=sendonly',
    'm=audio 4004 RTP/AVP 0',
    'm=image 5000 udptl t38',
  )
  const { answer, audio } = answered(offer)
  assert.deepEqual(
    [audio.remote.port, audio.codec, audio.direction, audio.dtmfPayloadType],
    [4002, 'PCMA', 'recvonly', 99],
  )
  const read = oracle.parse(text(answer))
  assert.deepEqual(
    read.media.map(({ type, port, protocol, payloads }) => [type, port, protocol, String(payloads)]),
    [
      ['video', 0, 'RTP/AVP', '31'],
      ['audio', 0, 'RTP/SAVP', '0'],
      ['audio', 20_000, 'RTP/AVP', '8 99'],
      ['audio', 0, 'RTP/AVP', '0'],
      ['image', 0, 'udptl', 't38'],
    ],
  )
  assert.equal(read.media[2]?.direction, 'recvonly')
})

test('telephone-events are not answered where they were not offered', () => {
  assert.ok(!text(answered(theirs('m=audio 4000 RTP/AVP 0')).answer).includes('telephone-event'))
})

const REFUSED_OFFERS: [string, Uint8Array, SdpRefusal['refused']][] = [
  ['without streams', theirs(), 'no_audio'],
  ['with its audio closed', theirs('m=audio 0 RTP/AVP 0'), 'rejected'],
  ['of Opus alone', theirs('m=audio 4000 RTP/AVP 111', 'a=rtpmap:111 opus/48000/2'), 'no_common_codec'],
  ['of stereo PCMU', theirs('m=audio 4000 RTP/AVP 96', 'a=rtpmap:96 PCMU/8000/2'), 'no_common_codec'],
  ['of nonsense', Buffer.from([0xff, 0xfe, 0, 13, 10]), 'malformed'],
]

for (const [name, offer, refused] of REFUSED_OFFERS) {
  test(`an offer ${name} is refused: ${refused}`, () => {
    const result = answerOffer(offer, OURS)
    assert.equal('refused' in result && result.refused, refused)
  })
}

test('IPv6 addresses are written as such', () => {
  const offer = text(makeOffer({ ...OURS, ptimeMs: 20, local: { host: '2001:db8::5', port: 4000 } }))
  assert.match(offer, /^c=IN IP6 2001:db8::5\r$/m)
})

test('no bytes make the reader throw, and whatever it accepts is usable', () => {
  const random = seededRandom('sdp-fuzz')
  const seeds = [OFFER, ...ANSWERS.map(({ answer }) => answer)].filter((bytes) => bytes.length < 2000)
  const until = performance.now() + FUZZ_MS
  let accepted = 0
  for (let round = 0; round < 50_000 && performance.now() < until; round++) {
    const bytes = mutated(seeds[random.int(seeds.length)]!, random)
    const result = answerOffer(bytes, OURS)
    for (const audio of [readAnswer(OFFER, bytes), 'refused' in result ? result : result.audio]) {
      if ('refused' in audio) continue
      accepted++
      assert.ok(audio.remote.port > 0 && audio.remote.port <= 65535)
      assert.ok(audio.payloadType >= 0 && audio.payloadType <= 127)
      assert.ok([10, 20, 30].includes(audio.ptimeMs))
    }
    if (!('refused' in result)) oracle.parse(text(result.answer))
  }
  assert.ok(accepted > 100, 'the fuzz reached past the first checks')
})

function mutated(seed: Uint8Array, random: ReturnType<typeof seededRandom>): Uint8Array {
  const bytes = Buffer.from(seed)
  for (let change = random.int(5); change > 0 && bytes.length > 0; change--) {
    const at = random.int(bytes.length)
    if (random.int(3) === 0) bytes[at] = random.int(256)
    else if (random.int(2) === 0) bytes.copyWithin(at, random.int(bytes.length))
    else bytes[at] = '0189 :/\r\n-=am'.charCodeAt(random.int(14))
  }
  return random.int(4) === 0 ? bytes.subarray(0, random.int(bytes.length + 1)) : bytes
}
