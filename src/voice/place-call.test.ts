import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ScriptedLine, scriptLine } from '../../test/testbed/scripted-line.ts'
import type { Verdict } from '../media/index.ts'
import { type CallHooks, type CallOrder, type CallResult, placeCall } from './index.ts'

type Running = ScriptedLine & { steps: string[]; heard: number; result: Promise<CallResult>; stop(): void }

async function dial(change: Partial<CallOrder> = {}): Promise<Running> {
  const line = scriptLine()
  const abort = new AbortController()
  const running: Running = Object.assign(line, {
    steps: [] as string[],
    heard: 0,
    result: Promise.resolve() as never,
    stop: () => abort.abort(),
  })
  const hooks: CallHooks = {
    onStep: (step) => running.steps.push(step),
    onHeard: () => running.heard++,
    signal: abort.signal,
  }
  running.result = placeCall(line.deps, line.order(change), hooks)
  await line.clock.advance(0)
  return running
}

const verdict = (what: Verdict['verdict'], why: Verdict['why']): Verdict => ({
  verdict: what,
  why,
  atMs: 1500,
  confidence: 0.9,
})

async function answeredBy(
  what: Verdict['verdict'],
  why: Verdict['why'],
  change: Partial<CallOrder> = {},
): Promise<Running> {
  const call = await dial(change)
  call.answer()
  await call.clock.advance(700)
  call.sound().onVerdict?.(verdict(what, why))
  await finish(call)
  return call
}

async function finish(call: Running, times = 1): Promise<void> {
  for (let i = 0; i < times; i++) {
    await call.clock.advance(1000)
    call.finishPlaying()
    await call.clock.advance(0)
  }
}

test('a human hears the greeting, the code, and the code again; then we say goodbye and hang up', async () => {
  const call = await answeredBy('human', 'short_greeting')
  assert.deepEqual(call.played, ['greeting', 'reading'])
  await finish(call)
  assert.equal(call.heard, 1, 'the outcome is known when the first reading ends')
  await finish(call, 2) // the pause, the repetition
  await call.clock.advance(3500)
  await finish(call)
  const { end, evidence } = await call.result
  assert.deepEqual(end, { kind: 'heard' })
  assert.equal(evidence.readings, 2)
  assert.equal(evidence.proof, 'detector')
  assert.deepEqual(call.played, ['greeting', 'reading', 'repetition', 'goodbye'])
  assert.deepEqual(call.steps, ['dialling', 'answered', 'human', 'reading'])
  assert.ok(call.hungUp && call.mediaClosed)
  assert.equal(call.clock.pending, 0, 'no timer is left')
})

test('the code waits for the verdict even when the greeting is over', async () => {
  const call = await dial()
  call.answer()
  await call.clock.advance(700)
  await finish(call)
  await call.clock.advance(500)
  assert.deepEqual(call.played, ['greeting'])
  call.sound().onVerdict?.(verdict('human', 'short_greeting'))
  await call.clock.advance(0)
  assert.deepEqual(call.played, ['greeting', 'reading'])
  call.sip().onEnd?.({ by: 'them' })
  await call.result
})

test('a machine is offered the key twice, never the code', async () => {
  const call = await answeredBy('machine', 'long_greeting')
  await finish(call)
  await call.clock.advance(5000)
  await finish(call)
  await call.clock.advance(5000)
  assert.deepEqual((await call.result).end, { kind: 'machine' })
  assert.deepEqual(call.played, ['greeting', 'offerKey', 'offerKey'])
})

test('a person taken for a machine presses the key and hears the code', async () => {
  const call = await answeredBy('machine', 'long_greeting')
  await finish(call)
  call.sound().onDtmf?.({ digit: '7', source: 'rfc4733', atMs: 9000, durationMs: 100 })
  await finish(call)
  call.sip().onEnd?.({ by: 'them' })
  const { end, evidence } = await call.result
  assert.deepEqual(end, { kind: 'heard' })
  assert.equal(evidence.proof, 'key')
  assert.equal(evidence.keys, '7')
})

test('a key pressed before it was named proves nothing', async () => {
  const call = await answeredBy('machine', 'long_greeting')
  call.sound().onDtmf?.({ digit: '7', source: 'rfc4733', atMs: 9000, durationMs: 100 })
  await finish(call)
  await call.clock.advance(5000)
  await finish(call)
  await call.clock.advance(5000)
  assert.deepEqual((await call.result).end, { kind: 'machine' })
})

test('all ten keys in turn are a robot’s, although the right one is among them', async () => {
  const call = await answeredBy('unsure', 'undecided')
  await finish(call)
  for (const digit of '0123456789') call.sound().onDtmf?.({ digit, source: 'inband', atMs: 9000, durationMs: 60 })
  assert.deepEqual((await call.result).end, { kind: 'machine' })
})

test('after a beep nothing more is said', async () => {
  const call = await dial()
  call.answer()
  await call.clock.advance(700)
  call.sound().onBeep?.({ atMs: 4000, hz: 1000 })
  assert.deepEqual((await call.result).end, { kind: 'machine' })
  assert.deepEqual(call.played, ['greeting'])
})

test('a beep in the first reading stops the code in mid-sentence', async () => {
  const call = await answeredBy('human', 'short_greeting')
  await call.clock.advance(500)
  call.sound().onBeep?.({ atMs: 6000, hz: 1000 })
  const { end, evidence } = await call.result
  assert.deepEqual(end, { kind: 'machine' })
  assert.equal(evidence.readings, 0)
})

test('in strict mode every answer is asked for the key, and the detector is not run', async () => {
  const call = await dial({ proof: 'keypress' })
  call.answer()
  await call.clock.advance(700)
  await finish(call, 2)
  assert.deepEqual(call.played, ['greeting', 'offerKey'])
  call.sound().onDtmf?.({ digit: '7', source: 'rfc4733', atMs: 1, durationMs: 100 })
  await finish(call)
  call.sip().onEnd?.({ by: 'them' })
  assert.deepEqual((await call.result).end, { kind: 'heard' })
})

test('a diverted call is treated as a machine whatever the detector thinks', async () => {
  const call = await dial()
  call.sip().onProgress?.({ status: 181, reason: 'Forwarded', body: Buffer.alloc(0), diverted: true })
  call.answer()
  await call.clock.advance(700)
  call.sound().onVerdict?.(verdict('human', 'short_greeting'))
  await finish(call)
  assert.deepEqual(call.played, ['greeting', 'offerKey'])
  call.sip().onEnd?.({ by: 'them' })
  await call.result
})

test('who hangs up before the code was read makes the outcome unknown', async () => {
  const call = await dial()
  call.answer()
  await call.clock.advance(1200)
  call.sip().onEnd?.({ by: 'them' })
  assert.deepEqual((await call.result).end, { kind: 'lost' })
})

test('who hangs up in the repetition has heard the code', async () => {
  const call = await answeredBy('human', 'short_greeting')
  await finish(call)
  call.sip().onEnd?.({ by: 'them' })
  assert.deepEqual((await call.result).end, { kind: 'heard' })
})

test('the replay key reads the code again', async () => {
  const call = await answeredBy('human', 'short_greeting')
  await finish(call, 3)
  call.sound().onDtmf?.({ digit: '#', source: 'rfc4733', atMs: 1, durationMs: 100 })
  await finish(call)
  assert.deepEqual(call.played, ['greeting', 'reading', 'repetition', 'repetition'])
  call.sip().onEnd?.({ by: 'them' })
  assert.equal((await call.result).evidence.readings, 3)
})

test('a call never lasts longer than its longest time, however often the replay key is pressed', async () => {
  const call = await answeredBy('human', 'short_greeting')
  for (let i = 0; i < 70 && !call.hungUp; i++) {
    await finish(call)
    call.sound().onDtmf?.({ digit: '1', source: 'rfc4733', atMs: 1, durationMs: 100 })
  }
  const { evidence } = await call.result
  assert.ok(evidence.talkMs! <= 60_000 && evidence.talkMs! > 50_000, `${evidence.talkMs} ms`)
})

test('an answer without any sound for long is told apart from a person who hung up', async () => {
  const call = await dial()
  call.answer()
  await call.clock.advance(10_000)
  call.sound().onInactive?.()
  assert.deepEqual((await call.result).end, { kind: 'no_media' })
})

test('an answer that shares no codec with us is hung up', async () => {
  const call = await dial({ codecs: ['PCMA'] })
  call.answer()
  assert.deepEqual((await call.result).end, { kind: 'no_common_codec' })
  assert.ok(call.hungUp)
})

test('a refused call keeps its evidence', async () => {
  const call = await dial()
  call.sip().onProgress?.({ status: 180, reason: 'Ringing', body: Buffer.alloc(0), diverted: false })
  call.fail({ status: 486, reason: 'Busy Here', q850: 17, rang: true })
  const { end, evidence } = await call.result
  assert.equal(end.kind, 'failed')
  assert.deepEqual(
    { status: evidence.sipStatus, q850: evidence.q850, rang: evidence.rang },
    { status: 486, q850: 17, rang: true },
  )
})

test('told to stop while it rings, the call is cancelled; while it speaks, hung up', async () => {
  const ringing = await dial()
  ringing.stop()
  assert.deepEqual((await ringing.result).end, { kind: 'stopped' })
  const speaking = await answeredBy('human', 'short_greeting')
  speaking.stop()
  assert.deepEqual((await speaking.result).end, { kind: 'stopped' })
  assert.ok(speaking.hungUp && speaking.mediaClosed)
})
