import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../clock.ts'
import { Memory } from './memory.ts'
import type { ArrivedCall } from './types.ts'

const TO = '41793026700'
const call = (callId: string, change: Partial<ArrivedCall> = {}): ArrivedCall => ({
  callId,
  to: TO,
  from: '447700900123',
  trunk: 'sandbox-a',
  handset: 'person',
  startedAt: 1,
  keys: '',
  ...change,
})
const text = (messageId: string, at: number, code?: string) => ({
  messageId,
  to: TO,
  from: 'Pincall',
  text: '',
  at,
  ...(code && { code }),
})

test('calls, texts and sound are kept up to a bound, and the oldest goes first', () => {
  const memory = new Memory(new ManualClock(), { calls: 3, messages: 2, audioBytes: 20_000 })
  for (let i = 1; i <= 5; i++) {
    const arrived = call(`c${i}`)
    memory.addCall(arrived)
    memory.keepAudio(arrived, new Int16Array(8000))
    memory.addMessage(text(`m${i}`, i))
  }
  assert.deepEqual(
    memory.calls().map(({ callId, audioMs }) => [callId, audioMs]),
    [
      ['c5', 1000],
      ['c4', 1000],
      ['c3', undefined],
    ],
    'the third call is known, its sound made room',
  )
  assert.equal(memory.audio('c3'), undefined)
  assert.equal(memory.audio('c5')?.length, 8000)
  assert.deepEqual(
    memory.messages().map(({ messageId }) => messageId),
    ['m5', 'm4'],
  )
})

test('sound of a call that has been forgotten is not kept', () => {
  const memory = new Memory(new ManualClock(), { calls: 1 })
  const forgotten = call('c1')
  memory.addCall(forgotten)
  memory.addCall(call('c2'))
  memory.keepAudio(forgotten, new Int16Array(80))
  assert.equal(memory.audio('c1'), undefined)
})

test('codes of a number are listed newest first, by channel and time where asked', () => {
  const memory = new Memory(new ManualClock())
  memory.addMessage(text('m1', 100, '1111'))
  memory.addMessage(text('m2', 110))
  memory.addCall(call('c1', { code: '2222', heardAt: 200 }))
  memory.addCall(call('c2', { to: '41793026701', code: '3333', heardAt: 300 }))
  memory.addCall(call('c3'))
  assert.deepEqual(memory.pins(TO), [
    { channel: 'voice', to: TO, code: '2222', at: 200 },
    { channel: 'sms', to: TO, code: '1111', at: 100 },
  ])
  assert.deepEqual(
    memory.pins(TO, { channel: 'sms' }).map(({ code }) => code),
    ['1111'],
  )
  assert.deepEqual(
    memory.pins(TO, { after: 100 }).map(({ code }) => code),
    ['2222'],
  )
})

test('whoever waits is answered by the change that has the answer, or by the end of the time', async () => {
  const clock = new ManualClock()
  const memory = new Memory(clock)
  const first = memory.when(() => memory.pins(TO)[0]?.code, 1000)
  memory.addMessage(text('m1', 1))
  memory.addMessage(text('m2', 2, '4711'))
  assert.equal(await first, '4711')
  const late = memory.when(() => memory.pins(TO, { after: 2 })[0], 1000)
  await clock.advance(1000)
  assert.equal(await late, undefined)
  const abort = new AbortController()
  const given = memory.when(() => undefined, 1000, abort.signal)
  abort.abort()
  assert.equal(await given, undefined)
  assert.equal(clock.pending, 0, 'no timer is left')
})

test('what the memory hands out is a copy: nobody changes what arrived', () => {
  const memory = new Memory(new ManualClock())
  memory.addCall(call('c1'))
  memory.calls()[0]!.code = '6666'
  assert.deepEqual(memory.pins(TO), [])
})
