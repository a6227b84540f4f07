import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { tableOf } from './languages.ts'
import { SAMPLE_RATE } from './loudness.ts'
import { EngineSpeech } from './speech.ts'
import { LANGUAGES, type PromptRequest, type Sound, SpeechFailed } from './types.ts'

const open = (cacheBytes?: number) =>
  new EngineSpeech({ log: silentLog, clock: systemClock, ...(cacheBytes && { cacheBytes }) })
const speech = open()
after(() => speech.close())

const request = (more: Partial<PromptRequest> = {}): PromptRequest => ({
  ...{ language: 'en', text: 'Your code is {{pin}}. Thank you.', filled: [], code: '4071', proofKey: '7' },
  ...more,
})
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Loudness in dB by another measure than the one that set it: the loudest third of windows of 25 ms. */
function loudness(sound: Sound): number {
  const levels: number[] = []
  for (let at = 0; at < sound.length; at += 200) {
    levels.push(Math.sqrt(sound.subarray(at, at + 200).reduce((sum, value) => sum + value * value, 0) / 200))
  }
  const louder = levels.toSorted((a, b) => b - a).slice(0, Math.ceil(levels.length / 3))
  return 20 * Math.log10(Math.sqrt(louder.reduce((sum, value) => sum + value * value, 0) / louder.length))
}

/** Lengths of the pauses of at least 200 ms inside a sound, to 50 ms. */
function pauses(sound: Sound): number[] {
  const found: number[] = []
  let quiet = 0
  for (let at = 0; at + 80 <= sound.length; at += 80) {
    if (sound.subarray(at, at + 80).every((value) => Math.abs(value) < 60)) quiet += 10
    else {
      if (quiet >= 200 && at / 8 > quiet) found.push(quiet)
      quiet = 0
    }
  }
  return found
}

test('every language speaks every digit and all its phrases, equally loud and never clipped', async () => {
  for (const language of LANGUAGES) {
    const clips = await speech.clips({ language }, '0123456789')
    const prompts = await speech.prepare(request({ language, text: tableOf(language).message, replayKeys: '1#' }))
    const sounds = [...[...clips.values()].flat(), ...Object.values(prompts)]
    assert.equal(sounds.length, 25, language)
    const levels = sounds.map(loudness)
    const middle = levels.toSorted((a, b) => a - b)[12] as number
    levels.forEach((level, index) => {
      assert.ok(Math.abs(level - middle) < 3, `${language}, sound ${index}: ${(level - middle).toFixed(1)} dB off`)
    })
    for (const sound of sounds) {
      assert.ok(sound.length > 0.1 * SAMPLE_RATE, language)
      assert.ok(
        sound.every((value) => Math.abs(value) < 32_500),
        language,
      )
    }
    const [running, final] = clips.get('8') ?? []
    assert.notDeepEqual(running, final, `${language}: a code's end can be heard`)
  }
})

test('letters are spoken in every script', async () => {
  for (const language of ['en', 'de', 'ja', 'ko', 'ru', 'zh_tw'] as const) {
    const clips = await speech.clips({ language }, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')
    assert.equal(clips.size, 26)
    for (const [letter, sounds] of clips) {
      for (const sound of sounds) {
        const seconds = sound.length / SAMPLE_RATE
        assert.ok(seconds > 0.1 && seconds < 1.6, `${language} ${letter}: ${seconds} s`)
      }
    }
  }
})

test('a code is read one character at a time, with a longer pause between its groups', async () => {
  const { reading } = await speech.prepare(request({ text: '{{pin}}', code: '222222' }))
  const [a, b, group, c, d, ...more] = pauses(reading)
  assert.deepEqual(more, [])
  for (const pause of [a, b, c, d]) assert.ok(pause && pause >= 300 && pause <= 420, `${pause} ms`)
  assert.ok(group && group >= 600 && group <= 730, `${group} ms`)
})

test('the prompts of one call say what they should, in their order', async () => {
  const plain = await speech.prepare(request())
  const replay = await speech.prepare(request({ replayKeys: '1#' }))
  const longer = await speech.prepare(request({ code: '40714071' }))
  assert.ok(replay.repetition.length > plain.repetition.length + SAMPLE_RATE)
  assert.ok(longer.reading.length > plain.reading.length + 2 * SAMPLE_RATE)
  assert.deepEqual(longer.greeting, plain.greeting, 'no code in the greeting')
  assert.deepEqual(longer.offerKey, plain.offerKey, 'nor in the offer')
  const other = await speech.prepare(request({ proofKey: '3' }))
  assert.notDeepEqual(other.offerKey, plain.offerKey)
})

test('what was given out is the caller’s own: changing it changes no later call', async () => {
  const first = await speech.prepare(request())
  const kept = first.greeting.slice()
  first.greeting.fill(0)
  assert.deepEqual((await speech.prepare(request())).greeting, kept)
})

test('a slower call is slower, and its code too', async () => {
  const [normal, slow, fast] = await Promise.all(
    [1, 0.5, 2].map((speechRate) => speech.prepare(request({ language: 'de', speechRate }))),
  )
  assert.ok(slow && normal && fast)
  assert.ok(slow.greeting.length > 1.5 * normal.greeting.length)
  assert.ok(fast.greeting.length < 0.7 * normal.greeting.length)
})

test('neither a code nor a name leaves a trace in the cache, nor changes what is asked of an engine', async () => {
  const fresh = open()
  await fresh.prepare(request({ code: '1234' }))
  const before = fresh.cache.keys
  await fresh.prepare(request({ code: '9876' }))
  await fresh.prepare(request({ code: '55' }))
  assert.deepEqual(fresh.cache.keys.toSorted(), before.toSorted(), 'other codes, nothing new')
  await fresh.prepare(request({ text: 'Anna, your code is {{pin}}. Thank you.', filled: ['Anna'] }))
  assert.deepEqual(fresh.cache.keys.toSorted(), before.toSorted(), 'a name, nothing new')
  await fresh.prepare(request({ text: 'Who knows what this is: {{pin}}', filled: undefined }))
  assert.deepEqual(fresh.cache.keys.toSorted(), before.toSorted(), 'nothing known of the text, nothing new')
  await fresh.prepare(request({ text: 'A template of its own: {{pin}}' }))
  assert.equal(fresh.cache.keys.length, before.length + 1)
  await fresh.close()
})

test('the cache stays within its bytes', async () => {
  const fresh = open(150_000)
  await fresh.warm({ language: 'de' })
  assert.ok(fresh.cache.bytes > 0 && fresh.cache.bytes <= 150_000, `${fresh.cache.bytes}`)
  await fresh.close()
})

test('what is asked for twice at once is made once', async () => {
  const fresh = open()
  const [one, two] = await Promise.all([1, 2].map(() => fresh.say({ language: 'es' }, 'Hola. Dígame.')))
  assert.deepEqual(one, two)
  assert.equal(fresh.cache.keys.length, 1)
  await fresh.close()
})

test('a fault makes the engine fail the call, though everything it says is known already', async () => {
  await speech.prepare(request())
  await assert.rejects(speech.prepare(request({ fault: true })), (error: Error) => {
    return error instanceof SpeechFailed && error.message === 'espeak: a fault was asked for.'
  })
  await speech.prepare(request())
})

test('engines that are killed are started again, and the call does not notice', async () => {
  const fresh = open()
  await Promise.all([fresh.say({ language: 'en' }, 'One.'), fresh.say({ language: 'de' }, 'Eins.')])
  const pids = fresh.pids
  assert.equal(pids.length, 2)
  const asked = fresh.prepare(request({ language: 'de' }))
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  assert.ok((await asked).reading.length > 0)
  assert.ok((await fresh.prepare(request())).reading.length > 0)
  await fresh.close()
})

test('closing leaves no process behind', async () => {
  const fresh = open()
  await Promise.all([fresh.say({ language: 'en' }, 'One.'), fresh.say({ language: 'de' }, 'Eins.')])
  const pids = fresh.pids
  assert.ok(pids.every(isAlive))
  await fresh.close()
  assert.deepEqual(pids.filter(isAlive), [])
  await assert.rejects(fresh.say({ language: 'en' }, 'Two.'), SpeechFailed)
})

test('engines end when the program that started them is killed', async () => {
  const script = `
    import { EngineSpeech } from ${JSON.stringify(new URL('./speech.ts', import.meta.url).href)}
    import { systemClock } from ${JSON.stringify(new URL('../clock.ts', import.meta.url).href)}
    import { silentLog } from ${JSON.stringify(new URL('../log.ts', import.meta.url).href)}
    const speech = new EngineSpeech({ log: silentLog, clock: systemClock })
    await Promise.all([speech.say({ language: 'en' }, 'One.'), speech.say({ language: 'de' }, 'Eins.')])
    process.stdout.write(JSON.stringify(speech.pids))`
  const program = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [pids]: [number[]] = [JSON.parse(String((await once(program.stdout, 'data'))[0]))]
  assert.ok(pids.length === 2 && pids.every(isAlive))
  program.kill('SIGKILL')
  const deadline = performance.now() + 5000
  while (pids.some(isAlive) && performance.now() < deadline) await systemClock.wait(10)
  assert.deepEqual(pids.filter(isAlive), [])
})

test('a text in a script that a language’s voices do not know gives way to a message of ours', async () => {
  const unreadable = await speech.prepare(request({ language: 'ja', text: '貴方の秘密は {{pin}}' }))
  const ours = await speech.prepare(request({ language: 'ja', text: tableOf('ja').message }))
  assert.deepEqual(unreadable.reading, ours.reading)
})

test('texts from anywhere are spoken or refused, and never break an engine', async () => {
  const texts = ['', '{{pin}}', '{{pin}}{{pin}}', '…!?', '<speak><break time="60s"/>{{pin}}', '[[h@loU]] {{pin}} --']
  const odd = [
    '\u0000\u0007\u202e{{pin}}',
    '👍 {{pin}} 👍',
    'ﷺ {{pin}}',
    '-o /tmp/x {{pin}}',
    'Καλημέρα {{pin}}',
    '\ud800 {{pin}}',
  ]
  for (const text of [...texts, ...odd]) {
    for (const language of ['en', 'fi'] as const) {
      const { reading } = await speech.prepare(request({ language, text }))
      assert.ok(
        reading.length > 2 * SAMPLE_RATE && reading.length < 130 * SAMPLE_RATE,
        JSON.stringify([language, text]),
      )
    }
  }
  await assert.rejects(speech.prepare(request({ text: `${'long '.repeat(300)}{{pin}}` })), SpeechFailed)
  await assert.rejects(
    speech.prepare(request({ language: 'fi', text: `${'eh. '.repeat(220)}{{pin}}`, speechRate: 0.5 })),
    /longer than a call/,
  )
  await assert.rejects(speech.prepare(request({ code: '12 4' })), SpeechFailed)
})

test('an unknown voice name is the language’s own voice, a known one is another', async () => {
  const say = (voiceName?: string) => speech.say({ language: 'en', ...(voiceName && { voiceName }) }, 'Hello there.')
  assert.deepEqual(await say('Nobody'), await say())
  assert.deepEqual(await say('Joanna'), await say())
  assert.notDeepEqual(await say('Matthew'), await say())
  assert.notDeepEqual(await say('espeak'), await say())
})
