import { createInterface } from 'node:readline'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { openMediaEngine, type Pcm } from '../../src/media/index.ts'
import { systemRandom } from '../../src/random.ts'
import { openSipEndpoint } from '../../src/sip/index.ts'
import { type CallOrder, type CallResult, placeCall } from '../../src/voice/index.ts'

/**
 * The calling half of the product without its HTTP, store and speech: SIP, media and voice in a process of their own, so
 * that what a call costs can be read off it. Each line on stdin is an order; the answer is a line `done {…}`.
 */

export type Order = {
  concurrent: number
  /** Calls that each of them makes, one after the other. */
  turns: number
  /** Where calls go; every `sampleEvery`th of the concurrent ones to `samplePort`. */
  port: number
  samplePort: number
  sampleEvery: number
  proof: CallOrder['proof']
}

export type Outcome = {
  calls: number
  /** How calls ended; all but `heard` failed. */
  ends: Record<string, number>
  /** User and system time of this process with its media worker. */
  cpuMs: number
  /** Of it, what the kernel took: sockets and timers. */
  kernelMs: number
  seconds: number
  meanTalkMs: number
  packetsSent: number
  packetsReceived: number
  packetsLost: number
  lateOver1Ms: number
  lateOver5Ms: number
  leftOver: number
}

/** A voice-like sound: what matters is that there is something to encode. */
function sound(ms: number): Pcm {
  return Int16Array.from({ length: ms * 8 }, (_, i) => 6000 * Math.sin(i / 7) * Math.sin(i / 900))
}

/** With the waits of the conversation (lead-in, pause, time to press a key) they make a call of ten seconds. */
const prompts = {
  greeting: sound(1200),
  reading: sound(2000),
  repetition: sound(1000),
  offerKey: sound(1500),
  goodbye: sound(400),
}
const RAMP_MS = 10_000

const sip = await openSipEndpoint({
  bind: { host: '127.0.0.1', port: 0 },
  userAgent: 'Pincall bench',
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
})
const media = await openMediaEngine({ workers: 1, log: silentLog })
const deps = {
  sip,
  media,
  mediaHost: '127.0.0.1',
  advertisedHost: '127.0.0.1',
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
}

function orderOf(order: Order, slot: number): CallOrder {
  const port = slot % order.sampleEvery === 0 ? order.samplePort : order.port
  return {
    uri: `sip:+4179${1_000_000 + slot}@127.0.0.1:${port}`,
    target: { host: '127.0.0.1', port },
    from: { uri: 'sip:41440000000@127.0.0.1' },
    codecs: ['PCMU'],
    ringTimeoutMs: 20_000,
    noResponseMs: 4000,
    prompts,
    proof: order.proof,
    proofKey: '5',
    replayKeys: '',
    longestMs: 30_000,
  }
}

async function run(order: Order): Promise<Outcome> {
  const results: CallResult[] = []
  const cpu = process.cpuUsage()
  const begun = performance.now()
  const caller = async (slot: number) => {
    await systemClock.wait((RAMP_MS * slot) / order.concurrent)
    for (let turn = 0; turn < order.turns; turn++) results.push(await placeCall(deps, orderOf(order, slot)))
  }
  await Promise.all(Array.from({ length: order.concurrent }, (_, slot) => caller(slot)))
  const { user, system } = process.cpuUsage(cpu)
  const sum = (of: (result: CallResult) => number | undefined) =>
    results.reduce((all, result) => all + (of(result) ?? 0), 0)
  const ends: Record<string, number> = {}
  for (const { end } of results) {
    const name = end.kind === 'failed' ? `failed ${end.failure.status} ${end.failure.local ?? ''}`.trim() : end.kind
    ends[name] = (ends[name] ?? 0) + 1
  }
  return {
    calls: results.length,
    ends,
    cpuMs: (user + system) / 1000,
    kernelMs: system / 1000,
    seconds: (performance.now() - begun) / 1000,
    meanTalkMs: sum(({ evidence }) => evidence.talkMs) / results.length,
    packetsSent: sum(({ evidence }) => evidence.media?.packetsSent),
    packetsReceived: sum(({ evidence }) => evidence.media?.packetsReceived),
    packetsLost: sum(({ evidence }) => evidence.media?.packetsLost),
    lateOver1Ms: sum(({ evidence }) => evidence.media?.lateOver1Ms),
    lateOver5Ms: sum(({ evidence }) => evidence.media?.lateOver5Ms),
    leftOver: media.sessions,
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  run(JSON.parse(line)).then(
    (outcome) => console.log(`done ${JSON.stringify(outcome)}`),
    (error) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.on('SIGTERM', () => {
  void Promise.all([sip.close(), media.close()]).then(() => process.exit(0))
})
console.log('ready')
