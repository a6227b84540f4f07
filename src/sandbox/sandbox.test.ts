import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import Fastify from 'fastify'
import { systemClock as clock } from '../clock.ts'
import { silentLog as log } from '../log.ts'
import {
  type MediaEngine,
  type MediaSession,
  makeOffer,
  openMediaEngine,
  readAnswer,
  type Verdict,
} from '../media/index.ts'
import { systemRandom as random } from '../random.ts'
import { type CallFailure, openSipEndpoint, type SipEndpoint } from '../sip/index.ts'
import { openSpeech, type Prompts, type Speech, type VoiceChoice } from '../speech/index.ts'
import { openSandbox, type Sandbox, sandboxRoutes } from './index.ts'

/** Callers that know nothing of Pincall dial each handset over real SIP and RTP. */
describe('the phone in a box', { concurrency: true }, () => {
  let speech: Speech
  let sandbox: Sandbox
  let sip: SipEndpoint
  let media: MediaEngine
  const spoken: VoiceChoice[] = [{ language: 'en' }, { language: 'de' }]
  before(async () => {
    speech = await openSpeech({ log, clock })
    sandbox = await openSandbox({
      clock,
      random,
      log,
      speech,
      host: '127.0.0.1',
      languagesSpoken: () => spoken,
      ringMs: 100,
    })
    sip = await openSipEndpoint({ bind: { host: '127.0.0.1', port: 0 }, userAgent: 'test', clock, random, log })
    media = await openMediaEngine({ log })
  })
  after(async () => {
    await sip.close()
    await media.close()
    await sandbox.close()
    await speech.close()
  })

  const prompts = (code: string, proofKey = '7', voice: VoiceChoice = { language: 'en' }): Promise<Prompts> =>
    speech.prepare({ ...voice, text: 'Your code is {{pin}}.', filled: [], code, proofKey })

  /** A call, its sound, and promises for what may happen on it. */
  async function dial(to: string, { trunk = 0, ringTimeoutMs = 5000 } = {}) {
    const ends = { failed: Promise.withResolvers<CallFailure>(), answered: Promise.withResolvers<void>() }
    const over = Promise.withResolvers<string>()
    const beep = Promise.withResolvers<number>()
    const verdict = Promise.withResolvers<Verdict>()
    const key = Promise.withResolvers<string>()
    const playing = new Map<number, () => void>()
    const statuses: number[] = []
    const session: MediaSession = await media.open({
      host: '127.0.0.1',
      detect: true,
      handlers: {
        onBeep: ({ hz }) => beep.resolve(hz),
        onVerdict: (decided) => verdict.resolve(decided),
        onDtmf: ({ digit }) => key.resolve(digit),
        onPlayed: ({ id }) => playing.get(id)?.(),
      },
    })
    const offer = makeOffer({
      local: session.local,
      codecs: ['PCMA', 'PCMU'],
      ptimeMs: 20,
      sessionId: 1,
      sessionVersion: 1,
    })
    const { host, port } = sandbox.trunks[trunk]!
    const call = sip.invite(
      {
        uri: `sip:+${to}@${host}:${port}`,
        target: { host, port },
        from: { uri: 'sip:447700900123@127.0.0.1' },
        body: offer,
        ringTimeoutMs,
      },
      {
        onProgress: ({ status }) => statuses.push(status),
        onAnswer({ body }) {
          const audio = readAnswer(offer, body)
          if ('refused' in audio) return ends.failed.reject(new Error(audio.detail))
          session.connect(audio)
          ends.answered.resolve()
        },
        onFailure: (failure) => ends.failed.resolve(failure),
        onEnd: ({ by }) => over.resolve(by),
      },
    )
    return {
      ...{ statuses, failed: ends.failed.promise, answered: ends.answered.promise, over: over.promise },
      ...{ beep: beep.promise, verdict: verdict.promise, key: key.promise },
      play(sound: Int16Array) {
        const { promise, resolve } = Promise.withResolvers<void>()
        playing.set(session.play(sound), resolve)
        return promise
      },
      async hangUp() {
        call.hangUp()
        await session.close()
      },
    }
  }

  /** A busy machine can spoil the sound of a reading: as calls do, it is read again, three times at most. */
  async function readUntilHeard(call: Awaited<ReturnType<typeof dial>>, to: string, reading: Int16Array) {
    for (let times = 0; times < 3 && sandbox.pins(to).length === 0; times++) {
      await call.play(reading)
      await sandbox.settled(to, 5000)
    }
    return sandbox.pins(to).map(({ channel, code }) => [channel, code])
  }

  test('a person rings, answers, says hello, and hears a code that only the sound knows', async () => {
    const to = '41793020027'
    const { reading } = await prompts('481920')
    const call = await dial(to)
    await call.answered
    assert.deepEqual(call.statuses, [180])
    assert.equal((await call.verdict).why, 'short_greeting')
    assert.deepEqual(await readUntilHeard(call, to, reading), [['voice', '481920']], 'before the call ended')
    await call.hangUp()
    while (!sandbox.calls(to)[0]?.audioMs) await sandbox.whenChanged(sandbox.changes, 2000)
    assert.equal(sandbox.pins(to).length, 1, 'one call, one code')
    const [arrived] = sandbox.calls(to)
    assert.ok(arrived)
    assert.deepEqual(
      [arrived.handset, arrived.from, arrived.trunk, arrived.keys, arrived.status, arrived.endedBy],
      ['person', '447700900123', 'sandbox-a', '', 200, 'caller'],
    )
    assert.ok((arrived.confidence ?? 0) > 0.95)

    const app = Fastify()
    await app.register(sandboxRoutes(sandbox))
    const [shown] = (await app.inject(`/sandbox/calls?to=${to}`)).json()
    const whole = await app.inject(shown.audio)
    assert.deepEqual([whole.statusCode, whole.headers['content-type']], [200, 'audio/wav'])
    assert.equal(whole.rawPayload.length, 44 + shown.audioMs * 16)
    assert.ok(shown.audioMs > reading.length / 8, 'all that was said is there')
    const part = await app.inject({ url: shown.audio, headers: { range: 'bytes=44-143' } })
    assert.deepEqual([part.statusCode, part.rawPayload.length], [206, 100])
    assert.deepEqual(part.rawPayload, whole.rawPayload.subarray(44, 144))
    const beyond = await app.inject({ url: shown.audio, headers: { range: 'bytes=99999999-' } })
    assert.equal(beyond.statusCode, 416)
    await app.close()
  })

  test('a person understands letters, and the other languages that calls are spoken in', async () => {
    const to = '41793020028'
    const call = await dial(to, { trunk: 1 })
    await call.answered
    const pin = sandbox.waitForPin(to, { channel: 'voice', timeoutMs: 20_000 })
    const { reading, repetition } = await prompts('7GK2', '1', { language: 'de' })
    await call.play(reading)
    await call.play(new Int16Array(1200 * 8))
    await call.play(repetition) // as calls do: what the machine was too busy to say well is said again
    await call.hangUp()
    assert.equal((await pin).code, '7GK2')
    assert.equal(sandbox.calls(to)[0]?.trunk, 'sandbox-b')
  })

  test('90: a mailbox greets, beeps, and records whatever it is told', async () => {
    const to = '41793020090'
    const call = await dial(to)
    await call.answered
    assert.equal((await call.verdict).verdict, 'machine')
    assert.ok(Math.abs((await call.beep) - 1000) < 20)
    const heard = await readUntilHeard(call, to, (await prompts('5577')).reading)
    assert.deepEqual(heard, [['voice', '5577']], 'a code told to a mailbox would be seen')
    await call.hangUp()
  })

  for (const [ending, status, q850, rings] of [
    ['91', 486, 17, false],
    ['93', 404, 1, false],
    ['94', 503, undefined, false],
    ['95', 603, undefined, true],
  ] as const) {
    test(`${ending}: ${status} on both trunks, ${rings ? 'after ringing' : 'without ringing'}`, async () => {
      for (const trunk of [0, 1]) {
        const call = await dial(`417930200${ending}`, { trunk })
        const failure = await call.failed
        assert.deepEqual([failure.status, failure.q850, failure.rang], [status, q850, rings])
        await call.hangUp()
      }
      assert.deepEqual(
        sandbox.calls(`417930200${ending}`).map((each) => [each.status, each.trunk, each.endedBy]),
        [
          [status, 'sandbox-b', 'handset'],
          [status, 'sandbox-a', 'handset'],
        ],
      )
    })
  }

  test('92: rings until its caller gives up', async () => {
    const call = await dial('41793020092', { ringTimeoutMs: 700 })
    const failure = await call.failed
    assert.deepEqual([failure.local, failure.rang], ['ring_timeout', true])
    const [arrived] = sandbox.calls('41793020092')
    assert.deepEqual([arrived?.status, arrived?.endedBy, arrived?.answeredAt], [487, 'caller', undefined])
    await call.hangUp()
  })

  test('96: answers and hangs up by itself, without a word', async () => {
    const call = await dial('41793020096')
    await call.answered
    const begun = performance.now()
    assert.equal(await call.over, 'them')
    assert.ok(performance.now() - begun > 1000)
    await call.hangUp()
    assert.equal(sandbox.calls('41793020096')[0]?.endedBy, 'handset')
  })

  test('97: a long greeting is taken for a machine’s, but the asked key is pressed', async () => {
    const call = await dial('41793020097')
    await call.answered
    const { greeting, offerKey } = await prompts('1', '4')
    assert.equal((await call.verdict).verdict, 'machine')
    await call.play(greeting)
    await call.play(offerKey)
    assert.equal(await call.key, '4')
    await call.hangUp()
    assert.equal(sandbox.calls('41793020097')[0]?.keys, '4')
  })

  test('98: a silent person presses the asked key, and nothing before it was asked for', async () => {
    const to = '41793020098'
    const call = await dial(to)
    await call.answered
    const { greeting, offerKey, reading } = await prompts('3141', '8')
    await call.play(greeting)
    assert.equal((await call.verdict).why, 'silence')
    await sandbox.settled(to, 5000)
    assert.equal(sandbox.calls(to)[0]?.keys, '')
    await call.play(offerKey)
    assert.equal(await call.key, '8')
    assert.deepEqual(await readUntilHeard(call, to, reading), [['voice', '3141']])
    await call.hangUp()
  })

  test('an offer without a codec that telephones know is refused with 488, a number that is none with 484', async () => {
    const { host, port } = sandbox.trunks[0]!
    const invite = (user: string, body: string) =>
      new Promise<number>((resolve) => {
        sip.invite(
          {
            uri: `sip:${user}@${host}:${port}`,
            target: { host, port },
            from: { uri: 'sip:1@127.0.0.1' },
            body: Buffer.from(body),
          },
          { onFailure: ({ status }) => resolve(status) },
        )
      })
    const opus =
      'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\n'
    assert.equal(await invite('41793020029', opus), 488)
    assert.equal(await invite('41793020029', 'garbage'), 488)
    assert.equal(await invite('41793020029', ''), 488)
    assert.equal(await invite('123', opus), 484)
  })
})

test('a sandbox that closes hangs up its calls and leaves nothing open', async () => {
  const speech = await openSpeech({ log, clock })
  const sandbox = await openSandbox({ clock, random, log, speech, host: '127.0.0.1', ringMs: 0 })
  const sip = await openSipEndpoint({ bind: { host: '127.0.0.1', port: 0 }, userAgent: 'test', clock, random, log })
  const { host, port } = sandbox.trunks[0]!
  const offer = makeOffer({
    local: { host: '127.0.0.1', port: 9 },
    codecs: ['PCMU'],
    ptimeMs: 20,
    sessionId: 1,
    sessionVersion: 1,
  })
  const told: string[] = []
  const answered = Promise.withResolvers<void>()
  const target = { target: { host, port }, from: { uri: 'sip:1@127.0.0.1' }, body: offer }
  const ends = ['00', '92'].map(
    (ending) =>
      new Promise<void>((resolve) => {
        sip.invite(
          { uri: `sip:417930200${ending}@${host}:${port}`, ...target },
          {
            onAnswer: () => answered.resolve(),
            onFailure: ({ status }) => resolve(void told.push(`failed ${status}`)),
            onEnd: ({ by }) => resolve(void told.push(`ended by ${by}`)),
          },
        )
      }),
  )
  await answered.promise
  await sandbox.close()
  await Promise.all(ends)
  assert.deepEqual(told.sort(), ['ended by them', 'failed 486'])
  await sip.close()
  await speech.close()
})
