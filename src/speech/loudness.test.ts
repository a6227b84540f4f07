import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forTelephone, join, SAMPLE_RATE, silence } from './loudness.ts'
import { resample } from './resample.ts'

const tone = (hz: number, sampleRate: number, seconds: number, size = 10_000, offset = 0) =>
  Int16Array.from({ length: sampleRate * seconds }, (_, index) => {
    return offset + size * Math.sin((2 * Math.PI * hz * index) / sampleRate)
  })
const rms = (samples: ArrayLike<number>, from = 0, to = samples.length) => {
  let sum = 0
  for (let index = from; index < to; index++) sum += (samples[index] as number) ** 2
  return Math.sqrt(sum / (to - from))
}

for (const rate of [16_000, 22_050, 44_100]) {
  test(`from ${rate} Hz the voice is kept and nothing folds back into it`, () => {
    const kept = resample(tone(1000, rate, 0.5), rate, SAMPLE_RATE)
    assert.equal(kept.length, 4000)
    const expected = tone(1000, SAMPLE_RATE, 0.5)
    const difference = kept.map((value, index) => value - (expected[index] as number))
    assert.ok(rms(difference, 200, 3800) < 10_000 * 0.003, 'in place and unchanged')
    const folded = resample(tone(5000, rate, 0.5), rate, SAMPLE_RATE)
    assert.ok(rms(folded, 200, 3800) < 10_000 * 0.001, 'a 5 kHz tone is gone')
  })
}

test('quiet and loud, with offset and silence around: one loudness, no offset, no silence, no clipping', () => {
  const levels = [300, 3000, 30_000].map((size) => {
    const parts = [silence(500), tone(400, SAMPLE_RATE, 0.5, size), silence(700)]
    const shifted = join(parts).map((value) => value + 500)
    const sound = forTelephone({ sampleRate: SAMPLE_RATE, samples: shifted })
    const mean = sound.reduce((sum, value) => sum + value, 0) / sound.length
    assert.ok(Math.abs(mean) < 40, `offset ${mean}`)
    assert.ok(sound.every((value) => Math.abs(value) < 32_000))
    return { rms: rms(sound, 1000, 3500), length: sound.length }
  })
  for (const level of levels) assert.ok(Math.abs(20 * Math.log10(level.rms / (levels[1]?.rms ?? 1))) < 1)
  assert.ok(
    levels.slice(1).every(({ length }) => length > 3900 && length < 4800),
    JSON.stringify(levels),
  )
})

test('a sound starts and ends at zero', () => {
  const sound = forTelephone({ sampleRate: SAMPLE_RATE, samples: tone(400, SAMPLE_RATE, 0.3) })
  assert.equal(sound[0], 0)
  assert.equal(sound.at(-1), 0)
})

test('silence and nothing at all become nothing', () => {
  assert.equal(forTelephone({ sampleRate: 16_000, samples: new Int16Array(16_000) }).length, 0)
  assert.equal(forTelephone({ sampleRate: 16_000, samples: new Int16Array(0) }).length, 0)
})
