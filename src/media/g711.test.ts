import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodePcma, decodePcmu, encodePcma, encodePcmu } from './g711.ts'
import { wavOf } from './wav.ts'

/** From the recommendation's tables: a sample and its byte on the wire. */
const KNOWN = [
  { sample: 0, pcmu: 0xff, pcma: 0xd5 },
  { sample: 32767, pcmu: 0x80, pcma: 0xaa },
  { sample: -32768, pcmu: 0x00, pcma: 0x2a },
  { sample: 1000, pcmu: 0xce, pcma: 0xfa },
  { sample: -1000, pcmu: 0x4e, pcma: 0x7a },
]

for (const { sample, pcmu, pcma } of KNOWN) {
  test(`${sample} is ${pcmu} in µ-law and ${pcma} in A-law`, () => {
    assert.deepEqual([...encodePcmu(Int16Array.of(sample))], [pcmu])
    assert.deepEqual([...encodePcma(Int16Array.of(sample))], [pcma])
  })
}

const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte)

test('every byte decodes to a sample that encodes to it again', () => {
  assert.deepEqual(encodePcma(decodePcma(everyByte)), everyByte)
  const negativeZero = 0x7f // µ-law has two zeros
  const again = encodePcmu(decodePcmu(everyByte))
  assert.deepEqual(again, everyByte.with(negativeZero, 0xff))
})

test('no sample comes back further off than the size of its step', () => {
  const samples = Int16Array.from({ length: 65536 }, (_, index) => index - 32768)
  for (const decoded of [decodePcmu(encodePcmu(samples)), decodePcma(encodePcma(samples))]) {
    for (const [index, sample] of samples.entries()) {
      const allowed = 8 + Math.abs(sample) / 31
      assert.ok(Math.abs(decoded[index]! - sample) <= allowed, `${sample} became ${decoded[index]}`)
    }
  }
})

test('a WAV file says what it is and holds every sample', () => {
  const file = Buffer.from(wavOf(Int16Array.of(1, -2, 32767)))
  assert.equal(file.toString('latin1', 0, 4), 'RIFF')
  assert.equal(file.toString('latin1', 8, 16), 'WAVEfmt ')
  assert.equal(file.readUInt32LE(4), file.length - 8)
  assert.deepEqual([file.readUInt16LE(22), file.readUInt32LE(24), file.readUInt16LE(34)], [1, 8000, 16])
  assert.equal(file.readUInt32LE(40), 6)
  assert.deepEqual([file.readInt16LE(44), file.readInt16LE(46), file.readInt16LE(48)], [1, -2, 32767])
})
