import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { silentLog } from '../log.ts'
import { seededRandom } from '../random.ts'
import { openMediaEngine } from './engine.ts'
import { decodePcma, decodePcmu, encodePcma, encodePcmu } from './g711.ts'
import { formatRtp, parseRtp, RTP_PAYLOAD_AT } from './rtp.ts'
import { answerOffer, makeOffer, readAnswer } from './sdp.ts'
import { framesOf, joined, silence, speechLike, tone } from './synthetic-sound.ts'
import type { Codec, MediaHandlers, MediaSession, NegotiatedAudio, Pcm, Verdict } from './types.ts'

const HOST = '127.0.0.1'
const random = seededRandom('engine')
const engine = await openMediaEngine({ log: silentLog, workers: 2 })
after(() => engine.close())

/** Handlers whose calls can be waited for. */
function watch() {
  type Told = [keyof MediaHandlers, unknown]
  const told: Told[] = []
  let wake = () => {}
  const note = (name: keyof MediaHandlers) => (fact?: unknown) => {
    told.push([name, fact])
    wake()
  }
  const handlers: Required<MediaHandlers> = {
    onStarted: note('onStarted'),
    onVerdict: note('onVerdict'),
    onBeep: note('onBeep'),
    onDtmf: note('onDtmf'),
    onVoice: note('onVoice'),
    onInactive: note('onInactive'),
    onPlayed: note('onPlayed'),
  }
  const all = (name: keyof MediaHandlers) => told.flatMap(([told, fact]) => (told === name ? [fact] : []))
  /** Resolves when the handler has been called `count` times. */
  async function until(name: keyof MediaHandlers, count = 1): Promise<unknown[]> {
    while (all(name).length < count) await new Promise<void>((resolve) => (wake = resolve))
    return all(name)
  }
  return { handlers, all, until }
}

const audioTo = (port: number, more: Partial<NegotiatedAudio> = {}): NegotiatedAudio => ({
  remote: { host: HOST, port },
  codec: 'PCMU',
  payloadType: 0,
  ptimeMs: 20,
  direction: 'sendrecv',
  dtmfPayloadType: 101,
  ...more,
})

/** Two sessions that agree by SDP. */
async function call(codec: Codec, ptimeMs: 10 | 20 | 30, ear: Partial<Parameters<typeof engine.open>[0]> = {}) {
  const [mouth, heard] = [watch(), watch()]
  const caller = await engine.open({ host: HOST, handlers: mouth.handlers })
  const callee = await engine.open({ host: HOST, recordMs: 20_000, handlers: heard.handlers, ...ear })
  const ids = { sessionId: 1, sessionVersion: 1 }
  const offer = makeOffer({ local: caller.local, codecs: ['PCMU', 'PCMA'], ptimeMs, ...ids })
  const result = answerOffer(offer, { local: callee.local, codecs: [codec], ...ids })
  assert.ok('answer' in result)
  const agreed = readAnswer(offer, result.answer)
  assert.ok('codec' in agreed)
  callee.connect(result.audio)
  caller.connect(agreed)
  return { caller, callee, mouth, heard }
}

const closeAll = (...sessions: MediaSession[]) => Promise.all(sessions.map((session) => session.close()))

/** The packets that are not silence, in order. A tick that a busy machine slept through leaves silence in between. */
function soundIn(pcm: Pcm, ptimeMs: number): Pcm {
  const loud = [...framesOf(pcm, ptimeMs * 8)].filter((frame) => frame.some((sample) => Math.abs(sample) > 8))
  return joined(...loud)
}

for (const [codec, ptimeMs] of [
  ['PCMU', 20],
  ['PCMA', 10],
  ['PCMA', 30],
] as const) {
  test(`what one session plays the other records, over ${codec} in packets of ${ptimeMs} ms`, async () => {
    const { caller, callee, mouth } = await call(codec, ptimeMs)
    const sound = speechLike(600, random)
    const id = caller.play(sound)
    assert.deepEqual(await mouth.until('onPlayed'), [{ id, complete: true }])
    const through = codec === 'PCMU' ? decodePcmu(encodePcmu(sound)) : decodePcma(encodePcma(sound))
    const expected = soundIn(through, ptimeMs)
    const giveUpAt = performance.now() + 3000 // the last packet has left; it is still to arrive
    const heard = async () => soundIn(await callee.recording(), ptimeMs)
    while ((await heard()).length < expected.length && performance.now() < giveUpAt);
    assert.deepEqual(await heard(), expected, 'the whole sound, sample by sample')
    const [sent, received] = await closeAll(caller, callee)
    assert.ok(sent!.packetsSent >= 600 / ptimeMs)
    assert.deepEqual([received!.packetsLost, received!.malformed], [0, 0])
    assert.ok(received!.packetsReceived > 0 && received!.jitterMs < 20)
    assert.deepEqual(await heard(), expected, 'the recording outlives the session')
  })
}

test('keys cross as telephone-events and, where those were not agreed, in the sound', async () => {
  for (const [source, dtmfPayloadType] of [
    ['rfc4733', 101],
    ['inband', undefined],
  ] as const) {
    const heard = watch()
    const caller = await engine.open({ host: HOST, handlers: {} })
    const callee = await engine.open({ host: HOST, handlers: heard.handlers })
    callee.connect(audioTo(caller.local.port, { dtmfPayloadType }))
    caller.connect(audioTo(callee.local.port, { dtmfPayloadType }))
    caller.sendDtmf('4#')
    const presses = await heard.until('onDtmf', 2)
    assert.deepEqual(
      presses.map((press) => {
        const { digit, source } = press as { digit: string; source: string }
        return [digit, source]
      }),
      [
        ['4', source],
        ['#', source],
      ],
    )
    await closeAll(caller, callee)
  }
})

test('the detector listens on the wire: a greeting, quiet, and then a beep', async () => {
  const { caller, callee, heard } = await call('PCMU', 20, { detect: true })
  caller.play(joined(speechLike(500, random), silence(1100), tone(1000, 300)))
  const verdicts = (await heard.until('onVerdict', 2)) as Verdict[]
  assert.deepEqual(
    verdicts.map(({ verdict, why }) => [verdict, why]),
    [
      ['human', 'short_greeting'],
      ['machine', 'beep'],
    ],
  )
  assert.equal(heard.all('onBeep').length, 1)
  assert.ok(heard.all('onVoice').length >= 2)
  await closeAll(caller, callee)
})

test('stopping ends what is played and what waits', async () => {
  const { caller, callee, mouth } = await call('PCMU', 20)
  const ids = [caller.play(tone(500, 60_000)), caller.play(tone(600, 1000))]
  caller.stop()
  const last = caller.play(tone(700, 40))
  assert.deepEqual(await mouth.until('onPlayed', 3), [
    ...ids.map((id) => ({ id, complete: false })),
    { id: last, complete: true },
  ])
  await closeAll(caller, callee)
})

test('closing tells what was not played, and frees the port', async () => {
  const { handlers, all } = watch()
  const session = await engine.open({ host: HOST, handlers })
  const before = engine.sessions
  const id = session.play(tone(500, 1000))
  const stats = await session.close()
  assert.deepEqual(all('onPlayed'), [{ id, complete: false }])
  assert.equal(stats.packetsSent, 0, 'nothing was ever connected')
  assert.equal(engine.sessions, before - 1)
  assert.deepEqual(await session.close(), stats)
  const again = await socketAt(session.local.port)
  again.socket.close()
})

async function socketAt(port = 0): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket('udp4').bind(port, HOST)
  await once(socket, 'listening')
  return { socket, port: socket.address().port }
}

function packet(sequence: number, ssrc: number, sound: Pcm): Buffer {
  const bytes = formatRtp({ marker: false, payloadType: 0, sequence, timestamp: sequence * 160, ssrc }, 160)
  bytes.set(encodePcmu(sound), RTP_PAYLOAD_AT)
  return bytes
}

test('packets go to the address of the SDP until the true source is known, then there; strangers are deaf', async () => {
  const [signalled, natted, stranger] = await Promise.all([socketAt(), socketAt(), socketAt()])
  const { handlers, until } = watch()
  const session = await engine.open({ host: HOST, recordMs: 5000, handlers })
  session.connect(audioTo(signalled.port))
  const [first] = await once(signalled.socket, 'message')
  assert.ok(
    parseRtp(first)?.payload.every((byte) => byte === 0xff),
    'silence is sent from the start',
  )
  for (let sequence = 0; sequence < 4; sequence++) {
    natted.socket.send(packet(sequence, 7, tone(500, 20)), session.local.port, HOST)
  }
  await until('onStarted')
  await once(natted.socket, 'message')
  const strangerHeard: Buffer[] = []
  stranger.socket.on('message', (bytes) => strangerHeard.push(bytes))
  for (let sequence = 4; sequence < 10; sequence++) {
    stranger.socket.send(packet(sequence, 8, tone(2000, 20)), session.local.port, HOST)
    natted.socket.send(packet(sequence, 7, tone(500, 20)), session.local.port, HOST)
    await once(natted.socket, 'message')
  }
  const stats = await session.close()
  assert.equal(stats.packetsReceived, 8, 'ten, less the two on probation')
  assert.deepEqual(strangerHeard, [])
  const only = decodePcmu(encodePcmu(tone(500, 20)))
  const recorded = await session.recording()
  assert.deepEqual(recorded.subarray(0, 160), only)
  assert.deepEqual(recorded.subarray(-160), only)
  for (const { socket } of [signalled, natted, stranger]) socket.close()
})

test('garbage on the port is counted and harmless', async () => {
  const { caller, callee, heard } = await call('PCMU', 20)
  const { socket } = await socketAt()
  await heard.until('onStarted')
  await callee.close()
  const open = await engine.open({ host: HOST, handlers: {} })
  open.connect(audioTo(socket.address().port))
  for (let count = 0; count < 20; count++) socket.send(Buffer.from('GET / HTTP/1.0\r\n\r\n'), open.local.port, HOST)
  socket.send(packet(1, 1, tone(500, 20)), open.local.port, HOST)
  await once(socket, 'message')
  await once(socket, 'message')
  const stats = await open.close()
  assert.deepEqual([stats.malformed, stats.packetsReceived], [20, 1])
  await caller.close()
  socket.close()
})

test('a far end that never sends is told, and one whose port is closed harms nothing', async () => {
  const { socket, port } = await socketAt()
  socket.close()
  const { handlers, until } = watch()
  const session = await engine.open({ host: HOST, inactivityMs: 100, handlers })
  session.connect(audioTo(port))
  await until('onInactive', 2)
  const stats = await session.close()
  assert.ok(stats.packetsSent >= 8)
})

test('on hold nothing is sent and what is to be played waits', async () => {
  const { socket, port } = await socketAt()
  const { handlers, until, all } = watch()
  const session = await engine.open({ host: HOST, inactivityMs: 60, handlers })
  let arrived = 0
  socket.on('message', () => arrived++)
  session.connect(audioTo(port, { direction: 'recvonly' }))
  const id = session.play(tone(500, 40))
  await until('onInactive')
  assert.deepEqual([arrived, all('onPlayed')], [0, []])
  session.connect(audioTo(port))
  assert.deepEqual(await until('onPlayed'), [{ id, complete: true }])
  await session.close()
  socket.close()
})

test('every session gets an even port of the range, and when there is none left that is said', async () => {
  const base = await freeRange(10)
  const narrow = await openMediaEngine({ log: silentLog, ports: { from: base, to: base + 9 } })
  try {
    const { socket } = await socketAt(base + 4)
    const sessions = await Promise.all(Array.from({ length: 4 }, () => narrow.open({ host: HOST, handlers: {} })))
    const ports = sessions.map((session) => session.local.port).sort()
    assert.deepEqual(ports, [base, base + 2, base + 6, base + 8])
    await assert.rejects(narrow.open({ host: HOST, handlers: {} }), /no UDP port/)
    await assert.rejects(narrow.open({ host: '192.0.2.1', handlers: {} }), /EADDRNOTAVAIL/)
    assert.equal(narrow.sessions, 4)
    socket.close()
  } finally {
    await narrow.close()
  }
  await assert.rejects(narrow.open({ host: HOST, handlers: {} }), /closed/)
})

/** The first of so many neighbouring ports of which every even one is free. */
async function freeRange(size: number): Promise<number> {
  for (let base = 20_000 + 2 * random.int(4000); base < 32_000; base += size) {
    const evens = Array.from({ length: size / 2 }, (_, index) => base + 2 * index)
    const bound = await Promise.allSettled(evens.map((port) => socketAt(port)))
    for (const result of bound) if (result.status === 'fulfilled') result.value.socket.close()
    if (bound.every((result) => result.status === 'fulfilled')) return base
  }
  throw new Error('no free range of ports')
}

test('a handler that throws harms nobody', async () => {
  const { caller, callee, mouth } = await call('PCMU', 20)
  const throwing = await engine.open({
    host: HOST,
    handlers: {
      onPlayed: () => {
        throw new Error('a fault of the room above')
      },
    },
  })
  throwing.connect(audioTo(caller.local.port))
  throwing.play(tone(500, 20))
  caller.play(tone(500, 60))
  await mouth.until('onPlayed')
  await closeAll(caller, callee, throwing)
})

test('a worker that dies ends its calls’ sound, not the process, and another takes its place', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pincall-media-'))
  t.after(() => rm(folder, { recursive: true }))
  const mortal = join(folder, 'mortal.mjs')
  const worker = new URL('./worker.ts', import.meta.url).href
  const dies = `(message) => { if (message.type === 'stop') process.nextTick(() => { throw new Error('died') }) }`
  await writeFile(
    mortal,
    `import { parentPort } from 'node:worker_threads'\nparentPort.on('message', ${dies})\nawait import('${worker}')\n`,
  )
  const fragile = await openMediaEngine({ log: silentLog }, pathToFileURL(mortal))
  const { handlers, until, all } = watch()
  const session = await fragile.open({ host: HOST, recordMs: 1000, handlers })
  const id = session.play(tone(500, 1000))
  const recording = session.recording()
  const closing = fragile.open({ host: HOST, handlers: {} }).then((other) => {
    session.stop()
    return other.close()
  })
  await until('onInactive')
  assert.deepEqual(all('onPlayed'), [{ id, complete: false }])
  assert.equal((await recording).length, 0)
  assert.equal((await session.close()).packetsSent, 0)
  await closing
  const next = await fragile.open({ host: HOST, handlers: {} })
  assert.equal(fragile.sessions, 1)
  await next.close()
  await fragile.close()
})

test('a worker that can not start is an error of opening', async () => {
  const missing = new URL('./no-such-worker.ts', import.meta.url)
  await assert.rejects(openMediaEngine({ log: silentLog }, missing), /no-such-worker/)
  await assert.rejects(openMediaEngine({ log: silentLog, workers: 0 }), /workers/)
  await assert.rejects(openMediaEngine({ log: silentLog, ports: { from: 9000, to: 9001 } }), /ports/)
})
