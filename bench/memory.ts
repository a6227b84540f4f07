import { buildAsPublished } from './lib/built.ts'
import { type BenchedPincall, setUp, startPincall } from './lib/pincall.ts'
import { childrenOf, commandOf, cpuMs, LOAD_CORE, memoryMb, stayOn } from './lib/processes.ts'
import { report, roundsOr, say } from './lib/report.ts'

/** What an idle server holds and how soon it is ready, as published and from source; the speech processes beside it. */

const ROUNDS = roundsOr(3)
const SETTLE_MS = 10_000
const QUIET_MS = 5_000

const TRUNKS = `
trunks: [{ name: bench, host: 127.0.0.1, port: 5999 }]
routes: [{ prefix: "", trunks: [bench], caller: "41440000000" }]
sip: { host: 127.0.0.1, port: 0, advertisedHost: 127.0.0.1 }
`

type Figures = {
  rss: number[]
  anonymous: number[]
  cpu: number[]
  readyS: number[]
  readyCpu: number[]
  speech: Map<string, number[]>
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function measure(start: () => Promise<BenchedPincall>): Promise<Figures> {
  const figures: Figures = { rss: [], anonymous: [], cpu: [], readyS: [], readyCpu: [], speech: new Map() }
  for (let round = 0; round < ROUNDS; round++) {
    const pincall = await start()
    try {
      const ids = await setUp(pincall)
      await pincall.post('/2fa/2/pin', { ...ids, to: '41793026727' }) // so that every room was entered once
      await pause(SETTLE_MS)
      const before = cpuMs(pincall.pid)
      await pause(QUIET_MS)
      figures.cpu.push((cpuMs(pincall.pid) - before) / (QUIET_MS / 1000))
      const { rssMb, anonMb } = memoryMb(pincall.pid)
      figures.rss.push(rssMb)
      figures.anonymous.push(anonMb)
      figures.readyS.push(pincall.started.seconds)
      figures.readyCpu.push(pincall.started.cpuMs)
      for (const child of childrenOf(pincall.pid)) {
        const name = /espeak|flite/.exec(commandOf(child))?.[0] ?? 'other'
        figures.speech.set(name, [...(figures.speech.get(name) ?? []), memoryMb(child).rssMb])
      }
    } finally {
      await pincall.close()
    }
  }
  return figures
}

function tell(name: string, what: string, figures: Figures, aim: boolean): void {
  const note = `${what}; media worker included, speech processes not`
  report({ name: `memory.${name}`, value: figures.rss, unit: 'MB resident, idle', ...(aim && { aim: '<= 150' }), note })
  report({
    name: `memory.${name}.anonymous`,
    value: figures.anonymous,
    unit: 'MB of it are no files (the node binary is one)',
  })
  report({ name: `start.${name}`, value: figures.readyS, unit: 's until ready, one core' })
  report({ name: `start.${name}.cpu`, value: figures.readyCpu, unit: 'ms of CPU until ready' })
  report({ name: `idle.${name}.cpu`, value: figures.cpu, unit: 'ms of CPU per second, idle' })
  for (const [engine, values] of figures.speech) {
    report({
      name: `memory.${name}.speech.${engine}`,
      value: values,
      unit: 'MB resident',
      note: 'a process of its own',
    })
  }
  say(`${what}: ${figures.rss.map((mb) => mb.toFixed(0)).join(', ')} MB`)
}

stayOn(LOAD_CORE)
const built = buildAsPublished()
try {
  tell('published', 'as published, sandbox on', await measure(() => startPincall({ main: built.main })), true)
  tell(
    'published-trunks',
    'as published, with a trunk',
    await measure(() => startPincall({ main: built.main, config: TRUNKS })),
    true,
  )
  tell('source', 'from source (npm start), sandbox on', await measure(() => startPincall()), true)
} finally {
  built.remove()
}
process.exit(0)
