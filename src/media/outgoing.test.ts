import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DtmfDetector } from './dtmf-tones.ts'
import { decodePcmu, encodePcma, encodePcmu } from './g711.ts'
import { Outgoing } from './outgoing.ts'
import { parseRtp, type RtpPacket } from './rtp.ts'
import { joined, tone } from './synthetic-sound.ts'
import type { NegotiatedAudio } from './types.ts'

const AUDIO: NegotiatedAudio = {
  remote: { host: '127.0.0.1', port: 4000 },
  codec: 'PCMU',
  payloadType: 0,
  ptimeMs: 20,
  direction: 'sendrecv',
  dtmfPayloadType: 101,
}
const INBAND: NegotiatedAudio = { ...AUDIO, dtmfPayloadType: undefined }
const START = { ssrc: 77, sequence: 65_534, timestamp: 0xffffff00 }

function stream() {
  const played: { id: number; complete: boolean }[] = []
  const outgoing = new Outgoing(START, { played: (id, complete) => played.push({ id, complete }) })
  const next = (audio = AUDIO): RtpPacket => {
    const packet = parseRtp(outgoing.next(audio))
    outgoing.sent()
    assert.ok(packet)
    return packet
  }
  const take = (count: number, audio = AUDIO) => Array.from({ length: count }, () => next(audio))
  return { outgoing, played, next, take }
}

const soundOf = (packets: RtpPacket[]) => Buffer.concat(packets.map((packet) => packet.payload))

test('silence is sent while nothing is played, in numbers and times that wrap around', () => {
  const packets = stream().take(4)
  assert.deepEqual(
    packets.map((packet) => packet.sequence),
    [65_534, 65_535, 0, 1],
  )
  assert.deepEqual(
    packets.map((packet) => packet.timestamp),
    [0xffffff00, 0xffffffa0, 0x40, 0xe0],
  )
  assert.ok(packets.every((packet) => packet.ssrc === 77 && packet.payloadType === 0))
  assert.ok(soundOf(packets).every((byte) => byte === 0xff))
})

test('sounds follow each other without a gap, and each is told as played with its last packet', () => {
  const { outgoing, played, take } = stream()
  const [one, two] = [tone(500, 30), tone(900, 25)]
  outgoing.play(1, one)
  outgoing.play(2, two)
  const packets = take(2)
  assert.deepEqual(played, [{ id: 1, complete: true }])
  packets.push(...take(2))
  assert.deepEqual(played, [
    { id: 1, complete: true },
    { id: 2, complete: true },
  ])
  const expected = Buffer.alloc(640, 0xff)
  expected.set(encodePcmu(joined(one, two)))
  assert.deepEqual(soundOf(packets), expected)
})

test('the marker stands where sound starts after silence, and only there', () => {
  const { outgoing, take } = stream()
  const packets = take(2)
  outgoing.play(1, tone(500, 40))
  packets.push(...take(4))
  assert.deepEqual(
    packets.map((packet) => packet.marker),
    [true, false, true, false, false, false],
  )
})

test('stopping drops what plays and what waits, at once', () => {
  const { outgoing, played, take, next } = stream()
  outgoing.play(1, tone(500, 200))
  outgoing.play(2, tone(500, 200))
  take(2)
  outgoing.stop()
  assert.deepEqual(played, [
    { id: 1, complete: false },
    { id: 2, complete: false },
  ])
  assert.ok(next().payload.every((byte) => byte === 0xff))
})

test('an empty sound is played by the next packet', () => {
  const { outgoing, played, next } = stream()
  outgoing.play(1, new Int16Array(0))
  next()
  assert.deepEqual(played, [{ id: 1, complete: true }])
})

test('late ticks and holding let the time run on, lose no sound, and start over with a marker', () => {
  const { outgoing, next } = stream()
  const sound = tone(500, 80)
  outgoing.play(1, sound)
  const first = next()
  outgoing.skip(AUDIO, 2)
  const second = next()
  outgoing.skip(AUDIO, 4)
  const third = next()
  outgoing.hold(AUDIO)
  const fourth = next()
  assert.deepEqual([second.marker, third.marker, fourth.marker], [false, true, true])
  assert.equal((second.timestamp - first.timestamp) >>> 0, 3 * 160)
  assert.equal((third.timestamp - second.timestamp) >>> 0, 5 * 160)
  assert.equal((third.sequence - second.sequence) & 0xffff, 1)
  assert.deepEqual(soundOf([first, second, third, fourth]), Buffer.from(encodePcmu(sound)))
})

test('keys go out as telephone-events, one after the other, while the sound waits', () => {
  const { outgoing, take } = stream()
  const sound = tone(500, 60)
  outgoing.press('1#')
  outgoing.play(1, sound)
  const packets = take(26)
  const events = packets.filter((packet) => packet.payloadType === 101)
  assert.deepEqual([...new Set(events.map((packet) => packet.payload[0]))], [1, 11])
  assert.equal(new Set(events.map((packet) => packet.timestamp)).size, 2)
  assert.deepEqual(
    packets.map((packet) => packet.sequence),
    packets.map((_, index) => (65_534 + index) & 0xffff),
  )
  const heard = soundOf(packets.filter((packet) => packet.payloadType === 0))
  assert.ok(heard.includes(Buffer.from(encodePcmu(sound))))
})

test('without telephone-events keys are heard in the sound, ahead of what is played', () => {
  const { outgoing, take, played } = stream()
  outgoing.play(1, new Int16Array(1600))
  outgoing.press('159D')
  const packets = take(60, INBAND)
  assert.ok(packets.every((packet) => packet.payloadType === 0))
  assert.equal(new DtmfDetector().push(decodePcmu(soundOf(packets))).join(''), '159D')
  assert.deepEqual(played, [{ id: 1, complete: true }])
})

test('a change of codec and packet time in the middle of a sound is spoken from there on', () => {
  const { outgoing, next } = stream()
  const sound = tone(500, 50)
  outgoing.play(1, sound)
  const first = next()
  const second = next({ ...AUDIO, codec: 'PCMA', payloadType: 8, ptimeMs: 30 })
  assert.deepEqual(Buffer.from(first.payload), Buffer.from(encodePcmu(sound.subarray(0, 160))))
  assert.deepEqual(Buffer.from(second.payload), Buffer.from(encodePcma(sound.subarray(160))))
  assert.equal(second.payloadType, 8)
})
