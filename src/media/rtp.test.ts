import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RtpPacket as OraclePacket } from 'rtp.js/packets'
import { seededRandom } from '../random.ts'
import { formatRtp, isRtcp, parseRtp, RTP_PAYLOAD_AT } from './rtp.ts'

const FUZZ_MS = 1500
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const HEADER = { marker: true, payloadType: 101, sequence: 65535, timestamp: 0xfffffff0, ssrc: 0x80000001 }

function packetOf(payload: number[]): Buffer {
  const packet = formatRtp(HEADER, payload.length)
  packet.set(payload, RTP_PAYLOAD_AT)
  return packet
}

test('what is formatted is what an independent parser reads', () => {
  const oracle = new OraclePacket(viewOf(packetOf([1, 2, 3])))
  assert.deepEqual(
    [oracle.getMarker(), oracle.getPayloadType(), oracle.getSequenceNumber(), oracle.getTimestamp(), oracle.getSsrc()],
    Object.values(HEADER),
  )
  assert.deepEqual([...new Uint8Array(oracle.getPayload().buffer, oracle.getPayload().byteOffset, 3)], [1, 2, 3])
})

test('what is formatted is read back', () => {
  const packet = parseRtp(packetOf([9, 8, 7]))
  assert.deepEqual({ ...packet, payload: [...packet!.payload] }, { ...HEADER, payload: [9, 8, 7] })
})

test('contributing sources, an extension and padding are stepped over', () => {
  const oracle = new OraclePacket()
  oracle.setSequenceNumber(7)
  oracle.setCsrcs([1, 2, 3])
  oracle.enableOneByteExtensions()
  oracle.setExtension(5, viewOf(Uint8Array.of(0xaa, 0xbb)))
  oracle.setPayload(viewOf(Uint8Array.of(1, 2, 3, 4, 5)))
  oracle.padTo4Bytes()
  oracle.serialize()
  const view = oracle.getView()
  const packet = parseRtp(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  assert.equal(packet?.sequence, 7)
  assert.deepEqual([...packet!.payload], [1, 2, 3, 4, 5])
})

const REFUSED: [string, number[]][] = [
  ['nothing', []],
  ['less than a header', [0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]],
  ['version 1', [0x40, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
  ['STUN', [0x00, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
  ['more contributing sources than bytes', [0x8f, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]],
  ['an extension longer than the packet', [0x90, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0xff, 0xff]],
  ['an extension without its length', [0x90, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe]],
  ['padding over the whole packet', [0xa0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200]],
  ['padding of no bytes', [0xa0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]],
]

for (const [name, bytes] of REFUSED) {
  test(`${name} is not RTP`, () => {
    assert.equal(parseRtp(Uint8Array.from(bytes)), undefined)
  })
}

test('RTCP on the same port is known by its packet type', () => {
  assert.ok(isRtcp(Uint8Array.of(0x80, 200, 0, 6, 0, 0, 0, 1)))
  assert.ok(!isRtcp(packetOf([1])))
})

test('no datagram makes the parser throw, and its payload is never outside the datagram', () => {
  const random = seededRandom('rtp-fuzz')
  const until = performance.now() + FUZZ_MS
  let read = 0
  for (let round = 0; round < 200_000 && performance.now() < until; round++) {
    const datagram = random.bytes(random.int(64))
    if (datagram.length > 0 && random.int(4) > 0) datagram[0] = 0x80 | (datagram[0]! & 0x3f)
    const packet = parseRtp(datagram)
    isRtcp(datagram)
    if (!packet) continue
    read++
    assert.ok(packet.payload.byteOffset >= datagram.byteOffset + 12)
    assert.ok(packet.payload.byteOffset + packet.payload.length <= datagram.byteOffset + datagram.length)
  }
  assert.ok(read > 100, 'the fuzz reached past the first check')
})
