import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { decodePcmu, encodePcmu } from '../media/index.ts'
import { seededRandom } from '../random.ts'
import { openSpeech, type Sound } from '../speech/index.ts'
import { hearKey } from './hear-key.ts'

const speech = await openSpeech({ log: silentLog, clock: systemClock })
after(() => speech.close())

const random = seededRandom('hear-key')
const join = (first: Sound, second: Sound): Sound => {
  const both = new Int16Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

/** Over µ-law, one packet in fifty lost. */
function wire(sound: Sound): Sound {
  const heard = decodePcmu(encodePcmu(sound))
  for (let at = 0; at < heard.length; at += 160) if (random.int(50) === 0) heard.fill(0, at, at + 160)
  return heard
}

for (const language of ['en', 'de', 'ja'] as const) {
  test(`the key that a call in ${language} asks for is heard after its greeting, and none where none is asked for`, async () => {
    const calls = await Promise.all(
      [...'0123456789'].map((proofKey) =>
        speech.prepare({ language, text: 'PIN: {{pin}}.', filled: [], code: '4711', proofKey }),
      ),
    )
    const sentences = new Map(calls.map(({ offerKey }, key) => [String(key), [offerKey]]))
    for (const key of [0, 3, 7, 8]) {
      const { greeting, offerKey } = calls[key]!
      assert.equal(hearKey(wire(join(greeting, offerKey)), sentences), String(key))
    }
    const { greeting, reading, repetition, goodbye } = calls[0]!
    for (const other of [greeting, reading, repetition, goodbye, new Int16Array(8000), new Int16Array(0)]) {
      assert.equal(hearKey(wire(other), sentences), undefined)
    }
  })
}
