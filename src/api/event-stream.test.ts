import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../clock.ts'
import { PincallError } from '../errors.ts'
import type { StoredEvent } from '../store/types.ts'
import { eventStream } from './event-stream.ts'

const event = (seq: number, change: Partial<StoredEvent> = {}): StoredEvent => ({
  seq,
  accountId: 'ACME',
  kind: 'delivery.closed',
  at: seq,
  pinId: 'PIN',
  deliveryId: `CALL-${seq}`,
  data: { disposition: 'heard', channel: 'voice' },
  ...change,
})

/** The stream of one reader over a log that a test fills, and news that it sends or withholds. */
function opened(after?: number) {
  const clock = new ManualClock()
  const log: StoredEvent[] = []
  const state = { away: false, reads: 0 }
  const end = new AbortController()
  let tell = (_event: StoredEvent) => {}
  const events = {
    async after(_accountId: string, seq: number, most: number) {
      state.reads++
      if (state.away) throw new PincallError('unavailable', 'away')
      return log.filter((each) => each.seq > seq).slice(0, most)
    },
    async lastSeq() {
      if (state.away) throw new PincallError('unavailable', 'away')
      return log.at(-1)?.seq ?? 0
    },
    onEvent(listener: (event: StoredEvent) => void) {
      tell = listener
      return () => {}
    },
    onProgress: () => () => {},
  }
  const stream = eventStream({ events, clock }, 'ACME', after, end.signal)
  const texts: string[] = []
  const ended = (async () => {
    for await (const text of stream) texts.push(text)
  })()
  return {
    clock,
    log,
    state,
    texts,
    ids: () => texts.flatMap((text) => /^id: (\d+)/.exec(text)?.[1] ?? []).map(Number),
    tell: (...news: StoredEvent[]) => {
      for (const each of news) tell(each)
    },
    async settle() {
      for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
    },
    async close() {
      end.abort()
      await ended
    },
  }
}

test('the next event is written as it comes, without asking the log', async () => {
  const { log, tell, settle, ids, state, close } = opened()
  await settle()
  for (const seq of [1, 2, 3]) {
    log.push(event(seq))
    tell(event(seq))
  }
  await settle()
  assert.deepEqual([ids(), state.reads], [[1, 2, 3], 0])
  await close()
})

test('other nodes’ events that come late, twice, out of order or not at all are told once each, in their order', async () => {
  const { log, tell, settle, ids, clock, close } = opened()
  await settle()
  log.push(event(1), event(2), event(3))
  tell(event(3))
  await settle()
  tell(event(2), event(1), event(3))
  await settle()
  assert.deepEqual(ids(), [1, 2, 3])
  log.push(event(4)) // nobody is told
  await clock.advance(15_000)
  await settle()
  assert.deepEqual(ids(), [1, 2, 3, 4])
  await close()
})

test('events that retention removed are passed over', async () => {
  const { log, settle, ids, close } = opened(2)
  log.push(event(7), event(8))
  await settle()
  assert.deepEqual(ids(), [7, 8])
  await close()
})

test('a database that goes away does not end the stream: what happened is told when it is back', async () => {
  const { log, tell, settle, ids, state, clock, close } = opened()
  await settle()
  state.away = true
  log.push(event(1), event(2))
  tell(event(2))
  await settle()
  await clock.advance(5000)
  assert.deepEqual(ids(), [])
  assert.ok(state.reads > 2 && state.reads < 10, 'it is asked once a second')
  state.away = false
  await clock.advance(1000)
  await settle()
  assert.deepEqual(ids(), [1, 2])
  await close()
  assert.equal(clock.pending, 0)
})

test('a corrected call has its true status', async () => {
  const { log, tell, settle, texts, close } = opened()
  await settle()
  log.push(event(1, { kind: 'delivery.corrected' }))
  tell(log[0])
  await settle()
  assert.match(texts[1], /^id: 1\nevent: delivery\.corrected\ndata: .*"callStatus":"PROCESSED"/)
  await close()
})
