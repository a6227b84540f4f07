import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../random.ts'
import { loadFvad } from './fvad.ts'
import { decodePcmu, encodePcmu } from './g711.ts'
import { type Heard, Hearing } from './hearing.ts'
import { Incoming } from './incoming.ts'
import { formatRtp, RTP_PAYLOAD_AT } from './rtp.ts'
import { joined, silence, tone } from './synthetic-sound.ts'
import { TelephoneEventSender } from './telephone-event.ts'
import type { NegotiatedAudio, Pcm } from './types.ts'

const fvad = await loadFvad()
const PEER = { address: '127.0.0.2', port: 4000 }
const STRANGER = { address: '127.0.0.3', port: 5000 }
const AUDIO: NegotiatedAudio = {
  remote: { host: PEER.address, port: PEER.port },
  codec: 'PCMU',
  payloadType: 0,
  ptimeMs: 20,
  direction: 'sendrecv',
  dtmfPayloadType: 101,
}

function ear(audio: NegotiatedAudio = AUDIO) {
  const told: string[] = []
  const heard: Heard[] = []
  const hearing = new Hearing(fvad, { detect: true }, (fact) => heard.push(fact))
  const incoming = new Incoming({
    hearing,
    recordMs: 20_000,
    inactivityMs: 1000,
    facts: {
      started: () => told.push('started'),
      key: (digit, atMs) => told.push(`${digit} at ${atMs}`),
      inactive: () => told.push('inactive'),
    },
  })
  incoming.agree(audio, 0)
  return { incoming, told, heard }
}

type Sending = { sequence: number; timestamp: number; ssrc?: number; payloadType?: number; marker?: boolean }
function packet(
  payload: Uint8Array,
  { sequence, timestamp, ssrc = 1, payloadType = 0, marker = false }: Sending,
): Buffer {
  const header = { marker, payloadType, sequence: sequence & 0xffff, timestamp: timestamp >>> 0, ssrc }
  const bytes = formatRtp(header, payload.length)
  bytes.set(payload, RTP_PAYLOAD_AT)
  return bytes
}

/** The packets of a sound, 20 ms each, from a place near the wrap of numbers and times. */
function packetsOf(sound: Pcm, ssrc = 1): { bytes: Buffer; atMs: number }[] {
  const encoded = encodePcmu(sound)
  return Array.from({ length: encoded.length / 160 }, (_, index) => ({
    bytes: packet(encoded.subarray(index * 160, index * 160 + 160), {
      sequence: 65_530 + index,
      timestamp: 0xfffff000 + index * 160,
      ssrc,
    }),
    atMs: 1000 + index * 20,
  }))
}

const SOUND = joined(tone(440, 200), tone(1200, 200))
const HEARD = decodePcmu(encodePcmu(SOUND))

test('what was sent is what is recorded', () => {
  const { incoming, told } = ear()
  for (const { bytes, atMs } of packetsOf(SOUND)) incoming.receive(bytes, PEER, atMs)
  assert.deepEqual(incoming.recorded(), HEARD)
  assert.deepEqual(told, ['started'])
})

test('lost packets are silence, doubled ones are heard once, reordered ones find their place', () => {
  const { incoming } = ear()
  const packets = packetsOf(SOUND)
  const order = [0, 1, 3, 2, 2, 4, ...Array.from({ length: 9 }, (_, index) => index + 6), 15, 16, 17, 18, 19]
  for (const [turn, index] of order.entries()) incoming.receive(packets[index]!.bytes, PEER, 1000 + turn * 20)
  const expected = HEARD.slice()
  expected.fill(0, 5 * 160, 6 * 160)
  assert.deepEqual(incoming.recorded(), expected)
  assert.equal(incoming.reception.received, 20)
  assert.equal(incoming.reception.lost, 0, 'one lost, one doubled: RFC 3550 counts packets')
})

test('loss and jitter are counted as RFC 3550 has it', () => {
  const { incoming } = ear()
  for (const [index, { bytes, atMs }] of packetsOf(silence(2000)).entries()) {
    if (index % 10 !== 5) incoming.receive(bytes, PEER, atMs + (index % 2) * 4)
  }
  assert.equal(incoming.reception.lost, 10)
  assert.ok(Math.abs(incoming.reception.jitterMs - 4) < 1, `${incoming.reception.jitterMs}`)
})

test('garbage is counted and harms nothing; RTCP and sound of unknown types are let pass', () => {
  const { incoming, told } = ear()
  const [first, ...rest] = packetsOf(SOUND)
  incoming.receive(first!.bytes, PEER, 1000)
  const random = seededRandom('garbage')
  const noVersion = (bytes: Buffer) => bytes.fill(bytes[0]! & 0x3f, 0, 1)
  for (let count = 0; count < 50; count++) incoming.receive(noVersion(random.bytes(172)), STRANGER, 1001)
  incoming.receive(packet(new Uint8Array(2000), { sequence: 1, timestamp: 1 }), PEER, 1001)
  incoming.receive(Buffer.from([0x80, 200, 0, 1, 0, 0, 0, 1]), PEER, 1002)
  incoming.receive(packet(Uint8Array.of(40), { sequence: 65_530, timestamp: 0xfffff000, payloadType: 13 }), PEER, 1003)
  for (const { bytes, atMs } of rest) incoming.receive(bytes, PEER, atMs)
  assert.equal(incoming.malformed, 51)
  assert.deepEqual(incoming.recorded(), HEARD)
  assert.deepEqual(told, ['started'])
})

test('any bytes in any order do no harm', () => {
  const { incoming } = ear()
  const random = seededRandom('incoming-fuzz')
  const until = performance.now() + 1500
  for (let round = 0; round < 60_000 && performance.now() < until; round++) {
    const bytes = random.bytes(12 + random.int(400))
    bytes[0] = 0x80 | (random.int(8) === 0 ? bytes[0]! & 0x3f : 0)
    bytes[1] = [0, 8, 101, 0x80, bytes[1]!][random.int(5)]!
    if (random.int(2) === 0) bytes.writeUInt32BE(round * 160, 4)
    if (random.int(4) > 0) bytes.writeUInt32BE(1, 8)
    incoming.receive(bytes, PEER, round * (random.int(3) * 10))
    if (round % 50 === 0) incoming.tick(round * 20)
  }
  assert.ok(incoming.recorded().length <= 20_000 * 8)
})

test('a stranger is not heard while the far end talks', () => {
  const { incoming } = ear()
  const other = packetsOf(tone(2000, 400), 99)
  for (const [index, { bytes, atMs }] of packetsOf(SOUND).entries()) {
    incoming.receive(bytes, PEER, atMs)
    incoming.receive(other[index]!.bytes, STRANGER, atMs)
  }
  assert.deepEqual(incoming.recorded(), HEARD)
  assert.deepEqual(incoming.target, { host: PEER.address, port: PEER.port })
})

test('behind a NAT the true source is taken after three packets in order, and sent to', () => {
  const { incoming, told } = ear()
  for (const { bytes, atMs } of packetsOf(SOUND)) incoming.receive(bytes, STRANGER, atMs)
  assert.deepEqual(incoming.target, { host: STRANGER.address, port: STRANGER.port })
  assert.equal(incoming.reception.received, 18)
  assert.deepEqual(told, ['started'])
  assert.deepEqual(incoming.recorded(), HEARD.subarray(2 * 160))
})

test('the source may change when it has fallen silent, but only so often', () => {
  const { incoming } = ear()
  const sources = Array.from({ length: 7 }, (_, index) => ({ address: '127.0.0.9', port: 6000 + index }))
  for (const [turn, source] of sources.entries()) {
    for (const { bytes, atMs } of packetsOf(silence(100), turn)) incoming.receive(bytes, source, turn * 5000 + atMs)
  }
  assert.equal(incoming.target?.port, 6003, 'four changes and no more')
})

test('the signalled source may always come back', () => {
  const { incoming } = ear()
  for (const { bytes, atMs } of packetsOf(silence(100), 5)) incoming.receive(bytes, STRANGER, atMs)
  for (const { bytes, atMs } of packetsOf(silence(100))) incoming.receive(bytes, PEER, atMs + 5000)
  assert.equal(incoming.target?.port, PEER.port)
})

test('a source that starts its numbers and times anew is heard on', () => {
  const { incoming } = ear()
  const [one, two] = [packetsOf(tone(440, 200), 1), packetsOf(tone(1200, 200), 2)]
  for (const { bytes, atMs } of one) incoming.receive(bytes, PEER, atMs)
  for (const { bytes, atMs } of two) incoming.receive(bytes, PEER, atMs + 200)
  assert.deepEqual(incoming.recorded(), HEARD)
  assert.equal(incoming.reception.lost, 0)
})

test('a source whose timestamps leap or stand still is heard on', () => {
  const { incoming } = ear()
  const encoded = encodePcmu(silence(20))
  const send = (sequence: number, timestamp: number, atMs: number) =>
    incoming.receive(packet(encoded, { sequence, timestamp }), PEER, atMs)
  for (let index = 0; index < 10; index++) send(index, index * 160, index * 20)
  for (let index = 0; index < 10; index++) send(10 + index, 0x40000000 + index * 160, 200 + index * 20)
  const leapt = incoming.recorded().length
  assert.ok(leapt <= 400 * 8 + 160, `${leapt}`)
  for (let ms = 400; ms <= 3400; ms += 20) incoming.tick(ms)
  for (let index = 0; index < 30; index++) send(20 + index, 0x40000000 + (10 + index) * 160, 3400 + index * 20)
  assert.ok(incoming.recorded().length > 3200 * 8, 'it is set to where the sound is by now')
})

test('time goes on for the detector when no packets come', () => {
  const { incoming, heard } = ear()
  incoming.receive(packetsOf(silence(20))[0]!.bytes, PEER, 1000)
  for (let ms = 1000; ms < 4500; ms += 20) incoming.tick(ms)
  assert.deepEqual(
    heard.map((fact) => fact.type === 'verdict' && [fact.verdict.why, fact.verdict.atMs]),
    [['silence', 3000]],
  )
})

test('no packet for the agreed time is told, again after each such time, but not while nothing may come', () => {
  const { incoming, told } = ear()
  for (let ms = 0; ms <= 2000; ms += 20) incoming.tick(ms)
  assert.deepEqual(told, ['inactive', 'inactive'])
  incoming.agree({ ...AUDIO, direction: 'sendonly' }, 2000)
  for (let ms = 2000; ms <= 5000; ms += 20) incoming.tick(ms)
  incoming.agree(AUDIO, 5000)
  for (let ms = 5000; ms < 6000; ms += 20) incoming.tick(ms)
  assert.deepEqual(told, ['inactive', 'inactive'])
})

test('keys are told once, at the time of their press, and leave the sound alone', () => {
  const { incoming, told } = ear({ ...AUDIO, dtmfReceivePayloadType: 96 })
  const [before] = packetsOf(silence(20))
  incoming.receive(before!.bytes, PEER, 1000)
  const sender = new TelephoneEventSender('9', (0xfffff000 + 160) >>> 0, 100)
  for (let index = 0; index < 7; index++) {
    const event = sender.next(160)
    const sending = { sequence: 65_531 + index, timestamp: event.timestamp, payloadType: 96 }
    incoming.receive(packet(event.payload, sending), PEER, 1020 + index * 20)
  }
  assert.deepEqual(told, ['started', '9 at 20'])
})

test('a flood is not taken for sound', () => {
  const { incoming } = ear()
  for (let index = 0; index < 5000; index++) {
    const sending = { sequence: index, timestamp: index * 160 }
    incoming.receive(packet(encodePcmu(silence(20)), sending), PEER, 1000 + index / 10)
  }
  assert.ok(incoming.recorded().length <= 3000 * 8, `${incoming.recorded().length}`)
  assert.ok(incoming.malformed > 0)
})

test('what comes before the answer is nobody’s', () => {
  const told: string[] = []
  const incoming = new Incoming({
    hearing: new Hearing(fvad, {}, () => {}),
    recordMs: 1000,
    inactivityMs: 1000,
    facts: { started: () => told.push('started'), key: () => {}, inactive: () => told.push('inactive') },
  })
  for (const { bytes, atMs } of packetsOf(SOUND)) incoming.receive(bytes, PEER, atMs)
  incoming.tick(5000)
  assert.deepEqual(told, [])
  assert.equal(incoming.recorded().length, 0)
})
