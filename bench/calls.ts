import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Order, Outcome } from './lib/caller.ts'
import type { Pacing } from './lib/listening-phone.ts'
import { numbers, setUp, startPincall } from './lib/pincall.ts'
import { childrenCpuMs, cpuMs, LOAD_CORE, SERVER_CORE, type Started, startOn, stayOn } from './lib/processes.ts'
import { report, roundsOr, say, scaled } from './lib/report.ts'
import { helloSound, type Phones, startPhones } from './lib/sipp.ts'

/**
 * Concurrent calls of ten seconds with sound in both directions to SIPp: CPU a call, pacing by our own account and by an
 * independent listener, failures. Once with SIP, media and voice alone on a core, once through the whole server.
 */

const ROUNDS = roundsOr(3)
const CONCURRENT = [100, 300]
const TURNS = 3
const SAMPLED = 10
const RUN_MS = 240_000
const PORTS = { phones: 25_060, sampled: 25_062, sound: 25_070, media: 25_100, sampledMedia: 25_200 }

type Exchange = { caller: Started; witness: Started }

async function oneRound({ caller, witness }: Exchange, concurrent: number, proof: Order['proof']) {
  witness.tell('forget')
  await witness.line(/^seen /, 5000)
  const order: Order = {
    concurrent,
    turns: TURNS,
    port: PORTS.phones,
    samplePort: PORTS.sampled,
    sampleEvery: Math.ceil(concurrent / SAMPLED),
    proof,
  }
  caller.tell(JSON.stringify(order))
  const [, done] = await caller.line(/^done (.*)/, RUN_MS)
  witness.tell('tell')
  const [, seen] = await witness.line(/^seen (.*)/, 5000)
  const outcome: Outcome = JSON.parse(done)
  const pacing: Pacing = JSON.parse(seen)
  say(`${concurrent} concurrent, ${proof}: ${JSON.stringify(outcome)} wire ${JSON.stringify(pacing)}`)
  return { outcome, pacing }
}

function reportCalls(name: string, concurrent: number, rounds: Awaited<ReturnType<typeof oneRound>>[]): void {
  const outcomes = rounds.map((round) => round.outcome)
  const pacings = rounds.map((round) => round.pacing)
  const calls = outcomes.reduce((sum, { calls: n }) => sum + n, 0)
  const talk = outcomes.reduce((sum, { meanTalkMs }) => sum + meanTalkMs, 0) / outcomes.length / 1000
  const note = `${calls} calls of ${talk.toFixed(1)} s to SIPp, G.711 both ways, one core, one media worker`
  const share = (of: (outcome: Outcome) => number) => outcomes.map((one) => 100 * (1 - of(one) / one.packetsSent))
  const failures = outcomes.reduce((sum, { calls: n, ends }) => sum + n - (ends.heard ?? 0), 0)
  const at = `calls.${name}.${concurrent}`
  report({
    name: `${at}.cpu`,
    value: outcomes.map((one) => one.cpuMs / one.calls),
    unit: 'ms of CPU per call',
    aim: '<= 10',
    note,
  })
  report({
    name: `${at}.cpu-in-kernel`,
    value: outcomes.map((one) => one.kernelMs / one.calls),
    unit: 'ms of it in the kernel',
  })
  report({
    name: `${at}.failed`,
    value: failures,
    unit: `of ${calls} calls`,
    aim: '= 0',
    note: JSON.stringify(outcomes.map(({ ends }) => ends)),
  })
  report({
    name: `${at}.core`,
    value: outcomes.map((one) => one.cpuMs / one.seconds / 10),
    unit: '% of a core, mean over ramp and calls',
  })
  report({
    name: `${at}.within-1ms`,
    value: share((one) => one.lateOver1Ms),
    unit: '% of packets',
    note: 'by the session’s own clock: when it handed the packet to the socket',
  })
  report({
    name: `${at}.within-5ms`,
    value: share((one) => one.lateOver5Ms),
    unit: '% of packets',
    note: 'by the session’s own clock',
  })
  const wire = `as received by another process, ${pacings.reduce((sum, { streams }) => sum + streams, 0)} calls`
  report({
    name: `${at}.wire.within-1ms`,
    value: pacings.map((one) => 100 * one.within1Ms),
    unit: '% of gaps',
    note: wire,
  })
  report({
    name: `${at}.wire.within-5ms`,
    value: pacings.map((one) => 100 * one.within5Ms),
    unit: '% of gaps',
    note: wire,
  })
  report({ name: `${at}.wire.gap-p99`, value: pacings.map((one) => one.gapP99Ms), unit: 'ms' })
  report({
    name: `${at}.wire.missing`,
    value: pacings.reduce((sum, { missing }) => sum + missing, 0),
    unit: `of ${pacings.reduce((sum, { packets }) => sum + packets, 0)} packets`,
  })
  report({
    name: `${at}.left-over`,
    value: outcomes.reduce((sum, { leftOver }) => sum + leftOver, 0),
    unit: 'media sessions after the last call',
    aim: '= 0',
  })
}

/** SIP, media and voice without the rest. */
async function alone(helloPath: string): Promise<void> {
  const profile = process.env.BENCH_CPU_PROF ? ['--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_CPU_PROF}`] : []
  const caller = startOn(SERVER_CORE, process.execPath, [...profile, 'bench/lib/caller.ts'])
  const witness = startOn(
    LOAD_CORE,
    process.execPath,
    ['bench/lib/listening-phone.ts', String(PORTS.sound), helloPath],
    { nice: -10 },
  )
  try {
    await Promise.all([caller.line(/^ready/, 20_000), witness.line(/^ready/, 20_000)])
    await oneRound({ caller, witness }, 20, 'detect') // warm-up
    for (const proof of ['detect', 'off'] as const) {
      for (const concurrent of CONCURRENT.map(scaled)) {
        const rounds: Awaited<ReturnType<typeof oneRound>>[] = []
        for (let round = 0; round < ROUNDS; round++) rounds.push(await oneRound({ caller, witness }, concurrent, proof))
        reportCalls(proof === 'off' ? 'undetected' : 'detected', concurrent, rounds)
        if (proof === 'off') break // what detection costs is seen at the smaller number
      }
    }
  } finally {
    await Promise.all([caller.stop(), witness.stop()])
  }
}

const SERVER_CALLS = scaled(300)
const SERVER_CALLS_PER_SECOND = 10

type Evidence = { talkMs?: number; media?: { packetsSent: number; lateOver1Ms: number; lateOver5Ms: number } }

/** The same phones called through HTTP: everything that a call costs the whole server. */
async function throughTheServer(): Promise<void> {
  const pincall = await startPincall({
    config: `
trunks: [{ name: sipp, host: 127.0.0.1, port: ${PORTS.phones}, codecs: [PCMU], callsPerSecond: 1000, concurrency: 1000 }]
routes: [{ prefix: "", trunks: [sipp], caller: "41440000000", pricePerMinute: "0.01" }]
sip: { host: 127.0.0.1, port: 0, advertisedHost: 127.0.0.1 }
account: { balance: "100000" }
`,
  })
  try {
    const ids = await setUp(pincall)
    const number = numbers()
    const call = () => pincall.post('/2fa/2/pin/voice', { ...ids, to: number() }, { prefer: 'respond-async' })
    const placeAll = async (count: number) => {
      for (let i = 0; i < count; i++) {
        await Promise.all([call(), new Promise((resolve) => setTimeout(resolve, 1000 / SERVER_CALLS_PER_SECOND))])
      }
      await pincall.idle(90_000)
    }
    await placeAll(10) // the engines start, and the clips of the voice are made
    const figures: { cpu: number; speech: number; evidence: { disposition: string; evidence: Evidence }[] }[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const before = { cpu: cpuMs(pincall.pid), speech: childrenCpuMs(pincall.pid) }
      await placeAll(SERVER_CALLS)
      const cpu = (cpuMs(pincall.pid) - before.cpu) / SERVER_CALLS
      const speech = (childrenCpuMs(pincall.pid) - before.speech) / SERVER_CALLS
      const rows = await pincall.read(
        `SELECT disposition, evidence FROM deliveries ORDER BY seq DESC LIMIT ${SERVER_CALLS}`,
      )
      const evidence = rows.map((row) => ({
        disposition: String(row.disposition),
        evidence: JSON.parse(String(row.evidence)) as Evidence,
      }))
      say(`through the server: ${cpu.toFixed(1)} ms a call, speech ${speech.toFixed(1)} ms`)
      figures.push({ cpu, speech, evidence })
    }
    reportServer(figures)
  } finally {
    await pincall.close()
  }
}

function reportServer(
  figures: { cpu: number; speech: number; evidence: { disposition: string; evidence: Evidence }[] }[],
): void {
  const all = figures.flatMap(({ evidence }) => evidence)
  const sum = (of: (evidence: Evidence) => number | undefined) =>
    all.reduce((total, one) => total + (of(one.evidence) ?? 0), 0)
  const talkS = sum(({ talkMs }) => talkMs) / all.length / 1000
  const packets = sum(({ media }) => media?.packetsSent)
  const note = `${all.length} calls of ${talkS.toFixed(1)} s, ${SERVER_CALLS_PER_SECOND} begun a second over HTTP, real speech, detector on`
  const dispositions = Object.groupBy(all, ({ disposition }) => disposition)
  const counts = Object.fromEntries(Object.entries(dispositions).map(([name, list]) => [name, list?.length]))
  report({ name: 'calls.server.cpu', value: figures.map(({ cpu }) => cpu), unit: 'ms of server CPU per call', note })
  report({
    name: 'calls.server.cpu-per-10s',
    value: figures.map(({ cpu }) => (cpu * 10) / talkS),
    unit: 'ms of server CPU per 10 s of call',
    aim: '<= 10',
    note,
  })
  report({
    name: 'calls.server.speech-cpu',
    value: figures.map(({ speech }) => speech),
    unit: 'ms of CPU of the speech processes per call',
  })
  report({
    name: 'calls.server.failed',
    value: all.filter(({ disposition }) => disposition !== 'heard').length,
    unit: `of ${all.length} calls`,
    aim: '= 0',
    note: JSON.stringify(counts),
  })
  report({
    name: 'calls.server.within-1ms',
    value: 100 * (1 - sum(({ media }) => media?.lateOver1Ms) / packets),
    unit: '% of packets',
    note: 'by the session’s own clock',
  })
  report({
    name: 'calls.server.within-5ms',
    value: 100 * (1 - sum(({ media }) => media?.lateOver5Ms) / packets),
    unit: '% of packets',
    note: 'by the session’s own clock',
  })
}

stayOn(LOAD_CORE)
const directory = mkdtempSync(join(tmpdir(), 'pincall-bench-calls-'))
const phones: Phones[] = []
try {
  const helloPath = await helloSound(directory)
  phones.push(await startPhones({ directory, port: PORTS.phones, helloPath, mediaPort: PORTS.media }))
  phones.push(
    await startPhones({
      directory,
      port: PORTS.sampled,
      helloPath,
      mediaPort: PORTS.sampledMedia,
      soundPort: PORTS.sound,
    }),
  )
  await alone(helloPath)
  await throughTheServer()
} finally {
  await Promise.all(phones.map((phone) => phone.stop()))
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
