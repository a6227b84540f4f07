import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../random.ts'
import { DTMF_KEYS, parseKeys } from './dtmf-keys.ts'
import { DtmfDetector, dtmfSound } from './dtmf-tones.ts'
import { decodePcmu, encodePcmu } from './g711.ts'
import { joined, noisy, silence, speechLike, tone } from './synthetic-sound.ts'
import type { Pcm } from './types.ts'

const random = seededRandom('dtmf')

const find = (sound: Pcm, hissRms = 30): string => {
  const detector = new DtmfDetector()
  return detector.push(decodePcmu(encodePcmu(noisy(sound, hissRms, random)))).join('')
}

const dialled = (keys: string, pressMs: number, pauseMs: number): Pcm =>
  joined(silence(100), ...[...keys].map((key) => joined(dtmfSound(key, pressMs), silence(pauseMs))))

test('every key is found, once a press, at the shortest press and pause that Q.24 allows and longer', () => {
  for (const [pressMs, pauseMs] of [
    [45, 45],
    [70, 60],
    [100, 80],
    [600, 200],
  ] as const) {
    assert.equal(find(dialled(DTMF_KEYS, pressMs, pauseMs)), DTMF_KEYS, `${pressMs} ms on, ${pauseMs} ms off`)
  }
})

test('the same key twice is two presses', () => {
  assert.equal(find(dialled('1133*99', 70, 60)), '1133*99')
})

test('keys are found in noise', () => {
  assert.equal(find(dialled(DTMF_KEYS, 100, 80), 700), DTMF_KEYS) // about 17 dB below the tones
})

test('speech, tones and noise press no keys', () => {
  assert.equal(find(speechLike(120_000, random)), '')
  assert.equal(find(noisy(silence(20_000), 3000, random)), '')
  assert.equal(find(joined(...[425, 697, 941, 1209, 1400, 1633].map((hz) => tone(hz, 400)))), '')
})

test('tones of which one drowns the other press no key', () => {
  const unequal = (lowAmplitude: number, highAmplitude: number) => {
    const low = tone(770, 200, lowAmplitude)
    const high = tone(1336, 200, highAmplitude)
    return low.map((sample, index) => sample + high[index]!)
  }
  assert.equal(find(unequal(5000, 5000)), '5')
  assert.equal(find(unequal(8000, 2000)), '', 'the high tone 12 dB down')
  assert.equal(find(unequal(2500, 7000)), '', 'the high tone 9 dB up')
})

test('only keys of a telephone can be pressed', () => {
  assert.equal(parseKeys('12#*aD'), '12#*AD')
  assert.throws(() => parseKeys('12 3'), RangeError)
  assert.throws(() => dtmfSound('12', 100), RangeError)
})
