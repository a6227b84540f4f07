import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ManualClock, systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { EngineProcess } from './engine-process.ts'
import { AnswerReader, type EngineAnswer } from './engine-protocol.ts'
import { SpeechFailed } from './types.ts'

const folder = mkdtempSync(join(tmpdir(), 'pincall-engine-'))
after(() => rmSync(folder, { recursive: true }))
const journal = join(folder, 'journal')
const program = join(folder, 'engine.mjs')

/** An engine that does what its text says, and writes down every request that it gets. */
writeFileSync(
  program,
  `import { appendFileSync, readFileSync } from 'node:fs'
  import { createInterface } from 'node:readline'
  createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, text } = JSON.parse(line)
    appendFileSync(${JSON.stringify(journal)}, text + '\\n')
    const times = readFileSync(${JSON.stringify(journal)}, 'utf8').split('\\n').filter((each) => each === text).length
    if (text === 'crash' || (text === 'crash once' && times === 1)) process.exit(3)
    if (text === 'hang') return
    if (text === 'refuse') return process.stdout.write(JSON.stringify({ id, error: 'no' }) + '\\n')
    if (text === 'babble' && times === 1) return process.stdout.write('x'.repeat(9000))
    if (text === 'environment') return process.stdout.write(JSON.stringify({ id, error: Object.keys(process.env).join() }) + '\\n')
    const audio = Buffer.alloc(100_000)
    for (let i = 0; i < 50_000; i++) audio.writeInt16LE((i % 1000) + (Number(text) || 0), i * 2)
    process.stdout.write(JSON.stringify({ id, sampleRate: 16000, samples: 50000 }) + '\\n')
    process.stdout.write(audio)
  })`,
)

const open = (options: { timeoutMs?: number; maxWaiting?: number; clock?: typeof systemClock } = {}) => {
  writeFileSync(journal, '')
  return new EngineProcess({ name: 'testing', program: () => program, log: silentLog, clock: systemClock, ...options })
}
const say = (engine: EngineProcess, text: string) => engine.speak({ voice: 'v', rate: 150, text })
const requests = () => readFileSync(journal, 'utf8').split('\n').filter(Boolean)

test('answers belong to their requests, however many wait', async () => {
  const engine = open()
  const recordings = await Promise.all(Array.from({ length: 20 }, (_, index) => say(engine, String(index))))
  recordings.forEach(({ sampleRate, samples }, index) => {
    assert.equal(sampleRate, 16_000)
    assert.equal(samples.length, 50_000)
    assert.deepEqual([samples[0], samples[999], samples[49_999]], [index, 999 + index, 999 + index])
  })
  await engine.close()
})

test('a crash costs its request one retry, and the others nothing', async () => {
  const engine = open()
  const [first, second] = await Promise.all([say(engine, 'crash once'), say(engine, '7')])
  assert.equal(first.samples.length, 50_000)
  assert.equal(second.samples[0], 7)
  assert.deepEqual(requests(), ['crash once', 'crash once', '7'])
  await engine.close()
})

test('an engine that crashes again fails the request; one that keeps crashing is left alone for a while', async () => {
  const clock = new ManualClock()
  const engine = open({ clock })
  await assert.rejects(say(engine, 'crash'), SpeechFailed)
  await assert.rejects(say(engine, 'crash'), SpeechFailed)
  assert.equal(requests().length, 4)
  await assert.rejects(say(engine, '1'), /keeps crashing/)
  assert.equal(requests().length, 4, 'nothing was started for it')
  await clock.advance(10_000)
  assert.equal((await say(engine, '1')).samples.length, 50_000)
  await engine.close()
})

test('what an engine refuses is refused, without a retry and without a new process', async () => {
  const engine = open()
  await say(engine, '1')
  const { pid } = engine
  await assert.rejects(say(engine, 'refuse'), { name: 'SpeechFailed', message: 'testing: no.' })
  assert.deepEqual(requests(), ['1', 'refuse'])
  assert.equal(engine.pid, pid)
  await engine.close()
})

test('an engine that hangs is ended in time, and the next request has a new one', async () => {
  const clock = new ManualClock()
  const engine = open({ clock })
  await say(engine, '1')
  const { pid } = engine
  const hanging = assert.rejects(say(engine, 'hang'), /did not answer in time/)
  await clock.advance(10_000)
  await hanging
  assert.equal((await say(engine, '2')).samples[0], 2)
  assert.notEqual(engine.pid, pid)
  await engine.close()
})

test('bytes that are not the protocol end the process; the request is sent once more', async () => {
  const engine = open()
  assert.equal((await say(engine, 'babble')).samples.length, 50_000)
  assert.deepEqual(requests(), ['babble', 'babble'])
  await engine.close()
})

test('the queue is bounded', async () => {
  const engine = open({ maxWaiting: 3 })
  const asked = Array.from({ length: 6 }, (_, index) => say(engine, String(index)))
  const results = await Promise.allSettled(asked)
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'],
  )
  await engine.close()
})

test('closing ends the process, what waits for it, and what comes later', async () => {
  const engine = open()
  await say(engine, '1')
  const { pid } = engine
  assert.ok(pid)
  const waiting = assert.rejects(say(engine, 'hang'), /was closed/)
  await engine.close()
  await waiting
  assert.throws(() => process.kill(pid, 0), 'no such process')
  await assert.rejects(say(engine, '1'), /was closed/)
})

test('an engine sees nothing of our environment, where the keys are', async () => {
  process.env.PINCALL_SECRET_KEY = 'secret'
  const engine = open()
  await assert.rejects(say(engine, 'environment'), (error: Error) => !error.message.includes('PINCALL'))
  delete process.env.PINCALL_SECRET_KEY
  await engine.close()
})

test('an engine that is not installed fails what is asked of it, and nothing else', async () => {
  const program = () => {
    throw new Error('Cannot find module')
  }
  const engine = new EngineProcess({ name: 'absent', program, log: silentLog, clock: systemClock })
  const results = await Promise.allSettled([say(engine, '1'), say(engine, '2')])
  for (const result of results) {
    assert.ok(result.status === 'rejected' && result.reason instanceof SpeechFailed)
    assert.equal(result.reason.message, 'absent is not installed.')
  }
  await engine.close()
})

test('answers are read the same, however the pipe cuts them', () => {
  const audio = Buffer.from(Int16Array.of(1, -2, 10, 2570).buffer) // 10 and 2570 hold line feeds
  const wire = Buffer.concat([
    Buffer.from('{"id":1,"sampleRate":22050,"samples":4}\n'),
    audio,
    Buffer.from('{"id":2,"error":"no"}\n{"id":3,"sampleRate":8000,"samples":0}\n'),
  ])
  for (let size = 1; size <= wire.length; size++) {
    const answers: EngineAnswer[] = []
    const reader = new AnswerReader((answer) => answers.push(answer))
    for (let at = 0; at < wire.length; at += size) assert.ok(reader.push(wire.subarray(at, at + size)))
    assert.deepEqual(answers, [
      { id: 1, recording: { sampleRate: 22_050, samples: Int16Array.of(1, -2, 10, 2570) } },
      { id: 2, error: 'no' },
      { id: 3, recording: { sampleRate: 8000, samples: new Int16Array(0) } },
    ])
  }
})

test('headers that promise nonsense are not believed', () => {
  const headers = ['nothing', '[]', '{}', '{"id":1}', '{"id":"1","error":"x"}', '{"id":1,"sampleRate":1,"samples":1}']
  const absurd = ['-1', '1e12', '1.5', '"4"', 'null'].map((count) => `{"id":1,"sampleRate":8000,"samples":${count}}`)
  for (const header of [...headers, ...absurd]) {
    assert.equal(new AnswerReader(() => assert.fail(header)).push(Buffer.from(`${header}\n`)), false, header)
  }
})
