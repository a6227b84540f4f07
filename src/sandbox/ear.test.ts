import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../clock.ts'
import { Ear, lastPause } from './ear.ts'
import type { Understood } from './hearing.ts'

const said = (ms: number): Int16Array => Int16Array.from({ length: ms * 8 }, (_, at) => 6000 * Math.sin(at / 3))
const quiet = (ms: number): Int16Array => new Int16Array(ms * 8)
const join = (...parts: Int16Array[]): Int16Array => Int16Array.from(parts.flatMap((part) => [...part]))

function listen(answers: Understood[]) {
  const clock = new ManualClock()
  const heardMs: number[] = []
  const understood: Understood[] = []
  const state = { sound: quiet(0) }
  const ear = new Ear({
    clock,
    recording: async () => state.sound,
    async understand(sound) {
      heardMs.push(Math.round(sound.length / 8))
      return answers.shift() ?? {}
    },
    onUnderstood: (what) => understood.push(what),
  })
  return { clock, ear, state, heardMs, understood }
}

test('a caller is understood sentence by sentence, each when a long pause follows it', async () => {
  const { clock, ear, state, heardMs, understood } = listen([{}, { key: '7' }])
  state.sound = join(said(1000), quiet(1100))
  ear.voice(true)
  ear.voice(false)
  await clock.advance(800)
  assert.deepEqual(heardMs, [1550], 'up to the middle of the pause')
  state.sound = join(state.sound, said(500), quiet(1100))
  ear.voice(true)
  ear.voice(false)
  await clock.advance(800)
  assert.deepEqual(heardMs, [1550, 1600])
  assert.deepEqual(understood, [{ key: '7' }])
})

test('the pauses within a code do not cut it', () => {
  const code = join(said(300), quiet(350), said(300), quiet(700), said(300))
  assert.equal(lastPause(code), undefined)
  assert.equal(lastPause(join(code, quiet(900))), undefined)
  assert.equal(lastPause(join(code, quiet(1000))), (1950 + 500) * 8)
  assert.equal(lastPause(join(code, quiet(1200), said(200))), (1950 + 600) * 8, 'though the next sentence has begun')
})

test('silence alone is nothing to understand', () => {
  assert.equal(lastPause(quiet(5000)), undefined)
  assert.equal(lastPause(new Int16Array(0)), undefined)
})

test('after a code was heard, its repetition is not listened to before the call ends', async () => {
  const { clock, ear, state, heardMs, understood } = listen([{ code: '34' }, { code: '1234' }, { code: '1234' }])
  state.sound = join(said(500), quiet(1100))
  ear.voice(false)
  await clock.advance(800)
  ear.voice(true)
  assert.equal(ear.isBusy, false, 'a code is known: nobody has to wait for more')
  ear.voice(false)
  await clock.advance(2000)
  assert.equal(heardMs.length, 1)
  await ear.finish(state.sound)
  assert.equal(heardMs.length, 3)
  assert.deepEqual(understood, [{ code: '34' }, { code: '1234' }], 'the whole call corrects what one sentence told')
})

test('a code that was heard twice alike, or once and never again, is certain', async () => {
  for (const again of [{ code: '1234' }, {}]) {
    const { clock, ear, state, heardMs, understood } = listen([{ code: '1234' }, again])
    state.sound = join(said(500), quiet(1100))
    ear.voice(false)
    await clock.advance(800)
    await ear.finish(join(state.sound, said(300)))
    assert.equal(heardMs.length, 2)
    assert.deepEqual(understood, [{ code: '1234' }])
  }
})

test('whoever asks in mid-sentence is answered when the sentence is understood', async () => {
  const { clock, ear, state } = listen([{ code: '4711' }])
  ear.voice(true)
  let settled = false
  const waiting = ear.settled().then(() => {
    settled = true
  })
  await clock.advance(3000)
  assert.ok(!settled)
  state.sound = join(said(500), quiet(1100))
  ear.voice(false)
  await clock.advance(780)
  await waiting
  assert.equal(clock.pending, 0)
})

test('a call that ends in mid-sentence is understood from what there was', async () => {
  const { ear, heardMs, understood } = listen([{ code: '99' }])
  ear.voice(true)
  const waiting = ear.settled()
  await ear.finish(said(400))
  await waiting
  assert.deepEqual(heardMs, [400])
  assert.deepEqual(understood, [{ code: '99' }])
})
