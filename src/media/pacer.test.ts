import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pacer } from './pacer.ts'

/** A pacer whose time is turned by hand; its own timer is put off by closing it at the end of each test. */
function pacerAt(startMs: number) {
  const time = { nowMs: startMs }
  const pacer = new Pacer(() => time.nowMs)
  return {
    pacer,
    at(ms: number) {
      time.nowMs = ms
      pacer.run()
    },
  }
}

test('ticks keep to multiples of their period, however late each of them is run', (t) => {
  const { pacer, at } = pacerAt(1000)
  t.after(() => pacer.close())
  const due: number[] = []
  pacer.add(20, (_now, dueMs) => due.push(dueMs))
  for (let ms = 1001; ms < 1200; ms += 3.7) at(ms)
  assert.equal(due.length, 10)
  for (const [index, dueMs] of due.entries()) assert.equal(dueMs, due[0]! + 20 * index)
})

test('ticks that were slept through are not made up for but counted', (t) => {
  const { pacer, at } = pacerAt(0)
  t.after(() => pacer.close())
  const missed: number[] = []
  pacer.add(20, (_now, _due, count) => missed.push(count))
  at(0.5)
  at(95)
  at(100.5)
  assert.deepEqual(missed, [0, 3, 0])
})

test('sessions of one packet time are spread over it', (t) => {
  const { pacer, at } = pacerAt(0)
  t.after(() => pacer.close())
  const times = new Map<number, number>()
  let nowMs = 0
  for (let session = 0; session < 100; session++) {
    pacer.add(20, () => times.set(nowMs, (times.get(nowMs) ?? 0) + 1))
  }
  for (nowMs = 1; nowMs < 20; nowMs++) at(nowMs)
  const burst = Math.max(...times.values())
  assert.ok(times.size >= 5, `${times.size} phases`)
  assert.ok(burst <= 20, `${burst} sessions at once`)
  assert.equal(
    [...times.values()].reduce((sum, count) => sum + count, 0),
    100,
  )
})

test('a session that left is not called again, and one that comes later has missed nothing', (t) => {
  const { pacer, at } = pacerAt(0)
  t.after(() => pacer.close())
  let first = 0
  const leave = pacer.add(20, () => first++)
  at(25)
  leave()
  at(45)
  assert.equal(first, 1)
  at(5000)
  const missed: number[] = []
  pacer.add(20, (_now, _due, count) => missed.push(count))
  for (let ms = 5001; ms < 5030; ms++) at(ms)
  assert.equal(missed[0], 0)
})

test('the timer itself ticks', async (t) => {
  const pacer = new Pacer()
  t.after(() => pacer.close())
  const started = performance.now()
  await new Promise<void>((resolve) => {
    let ticks = 0
    pacer.add(10, () => ++ticks === 5 && resolve())
  })
  assert.ok(performance.now() - started >= 39)
})
