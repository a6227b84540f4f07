import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../random.ts'
import { dtmfSound } from './dtmf-tones.ts'
import { decodePcma, encodePcma } from './g711.ts'
import { joined, noisy, silence, speechLike, tone } from './synthetic-sound.ts'
import { type Tone, ToneDetector } from './tones.ts'
import type { Pcm } from './types.ts'

const random = seededRandom('tones')

function find(sound: Pcm): Tone[] {
  const found: Tone[] = []
  const detector = new ToneDetector((heard) => found.push(heard))
  detector.push(decodePcma(encodePcma(noisy(sound, 30, random))))
  return found
}

test('every beep that mailboxes make is found once, with its frequency and its time', () => {
  for (const hz of [440, 480, 620, 800, 950, 1000, 1100, 1209, 1400, 1633, 2000, 2100, 2500, 3200]) {
    for (const ms of [180, 300]) {
      if (hz < 460 && ms < 300) continue
      const found = find(joined(silence(700), tone(hz, ms), silence(400)))
      assert.equal(found.length, 1, `${hz} Hz for ${ms} ms: ${JSON.stringify(found)}`)
      assert.equal(found[0]!.kind, 'beep')
      assert.ok(Math.abs(found[0]!.hz - hz) <= 5, `${found[0]!.hz} instead of ${hz}`)
      assert.ok(Math.abs(found[0]!.atMs - 700) <= 40, `at ${found[0]!.atMs}`)
    }
  }
})

test('a beep is found however quiet, and in noise', () => {
  for (const amplitude of [400, 1000, 12_000]) {
    assert.equal(
      find(joined(silence(500), tone(1004, 250, amplitude), silence(300))).length,
      1,
      `amplitude ${amplitude}`,
    )
  }
  const detector = { found: 0 }
  const noisyBeep = noisy(joined(silence(500), tone(900, 300, 6000), silence(300)), 800, random)
  new ToneDetector(() => detector.found++).push(noisyBeep)
  assert.equal(detector.found, 1)
})

test('the network speaking is not a beep', () => {
  const sit = joined(silence(300), tone(950, 330), tone(1400, 330), tone(1800, 330), silence(400))
  const american = joined(silence(300), tone(985.2, 380), tone(1428.5, 274), tone(1776.7, 380), silence(400))
  for (const sound of [sit, american]) {
    const kinds = find(sound).map((heard) => heard.kind)
    assert.equal(kinds[0], 'network_tone')
  }
  const busy = joined(silence(200), tone(425, 480), silence(480), tone(425, 480))
  assert.deepEqual(
    find(busy).map((heard) => heard.kind),
    ['network_tone', 'network_tone'],
  )
})

test('speech, noise, keys and short blips are no tones', () => {
  assert.deepEqual(find(speechLike(60_000, random)), [])
  assert.deepEqual(find(noisy(silence(10_000), 2000, random)), [])
  assert.deepEqual(find(joined(...[...'1234567890*#'].map((key) => joined(dtmfSound(key, 200), silence(100))))), [])
  assert.deepEqual(find(joined(silence(300), tone(1000, 80), silence(300), tone(300, 150), silence(300))), [])
})

test('sound that arrives in pieces of any size is heard the same', () => {
  const sound = joined(silence(310), tone(1300, 260), silence(330))
  const whole = find(sound)
  const pieces: Tone[] = []
  const detector = new ToneDetector((heard) => pieces.push(heard))
  for (let at = 0; at < sound.length; at += 37) detector.push(sound.subarray(at, at + 37))
  assert.deepEqual(pieces, whole)
})
