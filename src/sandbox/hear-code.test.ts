import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { decodePcma, decodePcmu, encodePcma, encodePcmu } from '../media/index.ts'
import { seededRandom } from '../random.ts'
import { LANGUAGES, type Language, openSpeech, type Sound } from '../speech/index.ts'
import { hearCode } from './hear-code.ts'

const speech = await openSpeech({ log: silentLog, clock: systemClock })
after(() => speech.close())
const random = seededRandom('hear-code')

const DIGITS = '0123456789'
const HEX = `${DIGITS}ABCDEF`
const ALL = `${HEX}GHIJKLMNOPQRSTUVWXYZ`
const PACKET = 160

const draw = (alphabet: string, length: number) =>
  Array.from({ length }, () => alphabet[random.int(alphabet.length)]).join('')
const pause = (ms: number): Sound => new Int16Array(ms * 8)
const join = (parts: readonly Sound[]): Sound => {
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)))
  return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
}
const overULaw = (sound: Sound): Sound => decodePcmu(encodePcmu(sound))
const overALaw = (sound: Sound): Sound => decodePcma(encodePcma(sound))

/** A line that loses packets (silence in their place) and lets some come late or not at all (everything behind moves). */
function wire(sound: Sound, { lost = 0, slipped = 0 }: { lost?: number; slipped?: number }): Sound {
  const parts: Sound[] = []
  for (let at = 0; at < sound.length; at += PACKET) {
    const packet = sound.subarray(at, at + PACKET)
    if (random.int(1000) < slipped * 1000) {
      if (random.int(2) === 0) parts.push(new Int16Array(PACKET), packet)
    } else {
      parts.push(random.int(1000) < lost * 1000 ? new Int16Array(packet.length) : packet)
    }
  }
  return join(parts)
}

async function call(language: Language, code: string, text: string): Promise<Sound> {
  const prompts = await speech.prepare({ language, text, filled: [], code, proofKey: '7', replayKeys: '1#' })
  const { greeting, reading, repetition, goodbye } = prompts
  return join([pause(700), greeting, pause(1500), reading, pause(1200), repetition, pause(2000), goodbye, pause(200)])
}

const MESSAGE = 'Your PIN for one of two accounts is {{pin}}. It is valid for five minutes. Seven. Thanks.'

for (const language of LANGUAGES) {
  test(`a code spoken in ${language} is heard right over µ-law and A-law, with one packet in a hundred lost`, async () => {
    for (const [line, length] of [[overULaw, 6] as const, [overALaw, 4] as const]) {
      const code = draw(DIGITS, length)
      const heard = wire(line(await call(language, code, MESSAGE)), { lost: 0.01 })
      const result = hearCode(heard, await speech.clips({ language }, DIGITS))
      assert.equal(result?.code, code, JSON.stringify(result))
      assert.deepEqual(result?.readings.length, 2, JSON.stringify(result))
    }
  })
}

test('every digit and letter is told from every other', async () => {
  for (const language of ['en', 'de', 'ja', 'ko', 'zh_tw', 'pt_br'] as const) {
    const clips = await speech.clips({ language }, ALL)
    for (const code of [ALL.slice(0, 12), ALL.slice(12, 24), ALL.slice(24)]) {
      const { reading } = await speech.prepare({ language, text: '{{pin}}', filled: [], code, proofKey: '7' })
      assert.equal(hearCode(overULaw(reading), clips)?.code, code, language)
    }
  }
})

test('packets that come late or not at all move the rest of a word, and the code is still heard', async () => {
  const clips = await speech.clips({ language: 'en' }, HEX)
  for (let round = 0; round < 6; round++) {
    const code = draw(HEX, 8)
    const heard = wire(overULaw(await call('en', code, MESSAGE)), { lost: 0.01, slipped: 0.01 })
    assert.equal(hearCode(heard, clips)?.code, code)
  }
})

test('a quiet line with noise is no hindrance', async () => {
  const clips = await speech.clips({ language: 'fr' }, DIGITS)
  const code = draw(DIGITS, 6)
  const quiet = (await call('fr', code, MESSAGE)).map((value) => value / 4 + (random.int(81) - 40))
  assert.equal(hearCode(overALaw(quiet), clips)?.code, code)
})

test('where no code was said, none is heard', async () => {
  for (const language of LANGUAGES) {
    const clips = await speech.clips({ language }, DIGITS)
    const { greeting, offerKey, goodbye } = await speech.prepare({
      ...{ language, text: '{{pin}}', filled: [], code: '1', proofKey: '4' },
    })
    const heard = join([greeting, pause(1500), offerKey, pause(900), offerKey, pause(700), goodbye])
    assert.equal(hearCode(overULaw(heard), clips), undefined, language)
  }
})

test('a code in another language, or read by another voice, is not guessed at', async () => {
  const clips = await speech.clips({ language: 'en' }, DIGITS)
  assert.equal(hearCode(await call('fi', '482913', 'Koodi on {{pin}}'), clips), undefined)
})

test('a call that ends within the code leaves it unheard', async () => {
  const clips = await speech.clips({ language: 'de' }, DIGITS)
  const { reading } = await speech.prepare({
    ...{ language: 'de', text: 'Ihr Code: {{pin}}', filled: [], code: '482913', proofKey: '7' },
  })
  assert.equal(hearCode(reading, clips)?.code, '482913')
  assert.equal(hearCode(reading.subarray(0, Math.round(reading.length * 0.7)), clips), undefined)
})

test('a word that was lost in one reading is taken from another', async () => {
  const clips = await speech.clips({ language: 'es' }, DIGITS)
  const { reading, repetition } = await speech.prepare({
    ...{ language: 'es', text: '{{pin}}', filled: [], code: '4829', proofKey: '7' },
  })
  const damaged = reading.slice()
  for (let at = 0; at < 3200; at++) damaged[at] = 4000 * Math.sin(at / 3) // a tone over the first digit
  const heard = join([pause(300), damaged, pause(1000), repetition])
  assert.equal(hearCode(heard, clips)?.code, '4829')
  assert.equal(hearCode(damaged, clips)?.code === '4829', false)
})

test('silence, tones, noise and nothing are no code', async () => {
  const clips = await speech.clips({ language: 'en' }, DIGITS)
  const noise = Int16Array.from({ length: 80_000 }, () => random.int(8000) - 4000)
  const tone = Int16Array.from({ length: 80_000 }, (_, index) => (index % 8000 < 3000 ? 9000 * Math.sin(index / 3) : 0))
  for (const sound of [new Int16Array(0), pause(5), pause(10_000), noise, tone]) {
    assert.equal(hearCode(sound, clips), undefined)
  }
  assert.equal(hearCode(noise, new Map()), undefined)
  assert.equal(hearCode(noise, new Map([['1', []]])), undefined)
  assert.equal(hearCode(noise, new Map([['1', [new Int16Array(0), pause(300)]]])), undefined)
})
