import { closedLoop, type Figures } from './lib/closed-loop.ts'
import { ENGINES, type Engine, type EngineName, numbers, openEngine } from './lib/engines.ts'
import { openPlainTransactions, openSingleStatements } from './lib/plain-sql.ts'
import { SERVER_CORE, stayOn } from './lib/processes.ts'
import { median, report, roundsOr, say, scaled } from './lib/report.ts'
import { drawnNumbers, makeParties, type Subject, workOf } from './lib/work.ts'

/**
 * `node bench/store.ts [sqlite | postgres]`: the store alone. How many priced sends are admitted and checks counted a second,
 * by how many ask at once, over 50 accounts with an application each (`spread`) and over a single one (`hot`). On PostgreSQL
 * beside what is usual there (lib/plain-sql.ts), on the same tables, with the rounds of all of them taking turns.
 */

const ROUNDS = roundsOr(3)
const PARTIES = { spread: 50, hot: 1 }
const OPERATIONS = { 1: scaled(800), 16: scaled(6_000), 64: scaled(15_000), 256: scaled(20_000) } as const
const PEER_OPERATIONS = scaled(2_000)
const PEERS_AT_ONCE = 64
const AIMS: Record<EngineName, Record<Spread, string | undefined>> = {
  sqlite: { spread: '>= 15000', hot: undefined },
  postgres: { spread: '>= 15000', hot: '>= 10000' },
}
const CHECK_AIM = '>= 10000'

type Spread = keyof typeof PARTIES
type Case = {
  name: string
  spread: Spread
  atOnce: number
  operations: number
  aims: { send?: string | undefined; check?: string | undefined }
  work: ReturnType<typeof workOf>
}
type Measured = { send: Figures[]; check: Figures[] }

async function measure(engine: Engine): Promise<void> {
  const { postgres } = engine
  const number = drawnNumbers()
  const peers = postgres
    ? {
        statement: openSingleStatements(postgres.url, numbers),
        transaction: openPlainTransactions(postgres.url, numbers),
      }
    : {}
  const cases: Case[] = []
  for (const spread of ['spread', 'hot'] as const) {
    const parties = await makeParties(engine.store, PARTIES[spread])
    const add = (name: string, subject: Subject, atOnce: number, operations: number, aims: Case['aims']) =>
      cases.push({ name, spread, atOnce, operations, aims, work: workOf(subject, parties, number) })
    for (const atOnce of [1, 16, 64, 256] as const) {
      const aims = atOnce === 64 ? { send: AIMS[engine.name][spread], check: CHECK_AIM } : {}
      add(`store.${engine.name}.${spread}.${atOnce}`, engine.store, atOnce, OPERATIONS[atOnce], aims)
    }
    for (const [peer, subject] of Object.entries(peers)) {
      add(`store.plain-${peer}.${spread}.${PEERS_AT_ONCE}`, subject, PEERS_AT_ONCE, PEER_OPERATIONS, {})
    }
  }
  const figures = new Map(cases.map(({ name }): [string, Measured] => [name, { send: [], check: [] }]))
  for (let round = 0; round <= ROUNDS; round++) {
    for (const each of cases) {
      const measured = await oneRound(each, postgres?.cpuMs)
      if (round === 0) continue // warm-up
      figures.get(each.name)!.send.push(measured.send)
      figures.get(each.name)!.check.push(measured.check)
      say(`${each.name} ${round}: ${told('sends', measured.send)}; ${told('checks', measured.check)}`)
    }
  }
  for (const each of cases) reportCase(each, figures.get(each.name)!, engine)
  for (const spread of ['spread', 'hot'] as const) {
    const ours = figures.get(`store.${engine.name}.${spread}.${PEERS_AT_ONCE}`)!
    for (const peer of Object.keys(peers)) {
      reportAgainst(engine.name, spread, peer, ours, figures.get(`store.plain-${peer}.${spread}.${PEERS_AT_ONCE}`)!)
    }
  }
  for (const peer of Object.values(peers)) await peer.close()
}

async function oneRound({ work, atOnce, operations }: Case, databaseCpuMs?: () => number) {
  work.forget()
  const send = await closedLoop(atOnce, operations, work.send, databaseCpuMs)
  const check = await closedLoop(atOnce, 2 * work.sent(), work.check, databaseCpuMs)
  return { send, check }
}

const of = (list: Figures[], key: keyof Figures) => list.map((one) => one[key])

const told = (what: string, { perSecond, p99Ms, cpuUs, databaseCpuUs }: Figures) =>
  `${perSecond.toFixed(0)} ${what}/s, p99 ${p99Ms.toFixed(1)} ms, ${cpuUs.toFixed(0)} + ${databaseCpuUs.toFixed(0)} µs`

function reportCase({ name, atOnce, aims }: Case, figures: Measured, engine: Engine): void {
  for (const what of ['send', 'check'] as const) {
    const list = figures[what]
    const aim = aims[what]
    report({
      name: `${name}.${what}.rate`,
      value: of(list, 'perSecond'),
      unit: 'per second',
      ...(aim && { aim }),
      note: `${atOnce} at once; ${engine.note}`,
    })
    report({ name: `${name}.${what}.p99`, value: of(list, 'p99Ms'), unit: 'ms' })
    report({ name: `${name}.${what}.cpu`, value: of(list, 'cpuUs'), unit: 'µs of node’s CPU each' })
    if (engine.postgres)
      report({
        name: `${name}.${what}.database-cpu`,
        value: of(list, 'databaseCpuUs'),
        unit: 'µs of PostgreSQL’s CPU each',
      })
  }
}

function reportAgainst(name: string, spread: Spread, peer: string, ours: Measured, theirs: Measured): void {
  for (const what of ['send', 'check'] as const) {
    const ratio = (key: keyof Figures) => median(of(ours[what], key)) / median(of(theirs[what], key))
    const base = `store.${name}.${spread}.${what}`
    report({ name: `${base}.rate-against.plain-${peer}`, value: ratio('perSecond'), unit: 'times' })
    const cpu = (list: Figures[]) => median(list.map(({ cpuUs, databaseCpuUs }) => cpuUs + databaseCpuUs))
    const less = cpu(theirs[what]) / cpu(ours[what])
    report({ name: `${base}.cpu-against.plain-${peer}`, value: less, unit: 'times less CPU, node and PostgreSQL' })
  }
}

const asked = process.argv.slice(2) as EngineName[]
stayOn(SERVER_CORE)
for (const name of asked.length > 0 ? asked : ENGINES) {
  const engine = await openEngine(name)
  try {
    await measure(engine)
  } finally {
    await engine.close()
  }
}
