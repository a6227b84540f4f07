import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../random.ts'
import { loadFvad } from './fvad.ts'
import { decodePcmu, encodePcmu } from './g711.ts'
import { type Heard, Hearing, type HearingWants } from './hearing.ts'
import { framesOf, joined, noisy, silence, speechLike, tone } from './synthetic-sound.ts'
import type { Pcm, Verdict } from './types.ts'

const fvad = await loadFvad()
const random = seededRandom('answering-machine')

/** What is told of a call whose far end sounds like this, over µ-law and a line with some hiss. */
function hear(sound: Pcm, wants: HearingWants = { detect: true }, hissRms = 20): Heard[] {
  const told: Heard[] = []
  const hearing = new Hearing(fvad, wants, (heard) => told.push(heard))
  for (const frame of framesOf(decodePcmu(encodePcmu(noisy(sound, hissRms, random))))) hearing.push(frame)
  hearing.close()
  return told
}

const verdictsOf = (told: Heard[]): Verdict[] =>
  told.flatMap((heard) => (heard.type === 'verdict' ? [heard.verdict] : []))
function firstOf(told: Heard[]): Verdict {
  const [verdict] = verdictsOf(told)
  assert.ok(verdict, 'no verdict was told')
  return verdict
}

const speech = (ms: number) => speechLike(ms, random)

for (const hissRms of [0, 20, 80, 200]) {
  test(`a short greeting and then quiet is a human, with hiss of ${hissRms}`, () => {
    for (let call = 0; call < 10; call++) {
      const lead = 300 + call * 100
      const told = hear(joined(silence(lead), speech(400 + call * 100), silence(1800)), undefined, hissRms)
      const verdict = firstOf(told)
      assert.deepEqual([verdict.verdict, verdict.why], ['human', 'short_greeting'])
      const { firstSoundMs = -1 } = verdict
      assert.ok(Math.abs(firstSoundMs - lead) <= 100, `first sound at ${firstSoundMs}, truly ${lead}`)
      assert.ok(verdict.confidence > 0.6 && verdict.confidence <= 1)
      assert.equal(verdictsOf(told).length, 1)
    }
  })

  test(`one who talks on is a machine, with hiss of ${hissRms}`, () => {
    for (let call = 0; call < 5; call++) {
      const verdict = firstOf(hear(joined(silence(500), speech(4000)), undefined, hissRms))
      assert.equal(verdict.verdict, 'machine')
      assert.match(verdict.why, /^long_(greeting|span)$/)
      assert.ok(verdict.atMs < 3200)
    }
  })
}

test('two short words with a pause of less than a second are still one greeting', () => {
  const [verdict] = verdictsOf(hear(joined(silence(200), speech(400), silence(500), speech(400), silence(1500))))
  assert.equal(verdict?.verdict, 'human')
})

test('words that keep coming after pauses are a machine by their span', () => {
  const word = () => joined(speech(300), silence(600))
  const [verdict] = verdictsOf(hear(joined(word(), word(), word(), word())))
  assert.deepEqual([verdict?.verdict, verdict?.why], ['machine', 'long_span'])
})

test('nobody speaking for three seconds leaves it unsure', () => {
  const [verdict, ...more] = verdictsOf(hear(joined(silence(4000), speech(500), silence(2000))))
  assert.deepEqual([verdict?.verdict, verdict?.why, verdict?.atMs], ['unsure', 'silence', 3000])
  assert.deepEqual(more, [])
})

test('a greeting between short and long is unsure when the time is over', () => {
  const told = verdictsOf(hear(joined(silence(400), speech(350), silence(850), speech(850), silence(5000))))
  assert.deepEqual(
    told.map((verdict) => [verdict.verdict, verdict.why, verdict.atMs]),
    [['unsure', 'undecided', 6000]],
  )
})

test('a beep after a short greeting overturns human', () => {
  const told = hear(joined(speech(900), silence(1500), tone(1000, 400), silence(500)))
  assert.deepEqual(
    verdictsOf(told).map((verdict) => [verdict.verdict, verdict.why]),
    [
      ['human', 'short_greeting'],
      ['machine', 'beep'],
    ],
  )
  const beep = told.find((heard) => heard.type === 'beep')
  assert.ok(beep && Math.abs(beep.hz - 1000) <= 5 && Math.abs(beep.atMs - 2400) <= 40)
})

test('a second utterance of more than a second and a half overturns human', () => {
  const told = verdictsOf(hear(joined(speech(600), silence(1400), speech(2500))))
  assert.deepEqual(
    told.map((verdict) => [verdict.verdict, verdict.why]),
    [
      ['human', 'short_greeting'],
      ['machine', 'second_utterance'],
    ],
  )
})

test('a human who says "hello?" once more stays a human', () => {
  const told = verdictsOf(
    hear(joined(speech(600), silence(1400), speech(700), silence(1500), speech(900), silence(900))),
  )
  assert.deepEqual(
    told.map((verdict) => verdict.verdict),
    ['human'],
  )
})

test('a beep that comes after the machine was recognised is told by itself', () => {
  const told = hear(joined(speech(3500), silence(300), tone(1400, 300), silence(300)))
  assert.deepEqual(
    told.map((heard) => heard.type),
    ['verdict', 'beep'],
  )
})

test('a fax is a machine and not a beep', () => {
  for (const hz of [1100, 2100]) {
    const told = hear(joined(silence(400), tone(hz, 520), silence(200)))
    assert.deepEqual(
      told.map((heard) => (heard.type === 'verdict' ? [heard.verdict.verdict, heard.verdict.why] : heard)),
      [['machine', 'fax']],
    )
  }
})

test('voice that starts and ends is told, as handsets want it', () => {
  const told = hear(joined(silence(500), speech(800), silence(900), speech(500), silence(600)), { voice: true })
  const voice = told.flatMap((heard) => (heard.type === 'voice' ? [heard] : []))
  assert.deepEqual(
    voice.map((heard) => heard.speaking),
    [true, false, true, false],
  )
  for (const [index, atMs] of [500, 1300, 2200, 2700].entries()) {
    assert.ok(Math.abs(voice[index]!.atMs - atMs) <= 120, `told ${voice[index]!.atMs}, truly ${atMs}`)
  }
  assert.equal(verdictsOf(told).length, 0)
})
