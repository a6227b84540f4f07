import type { Figures } from './lib/closed-loop.ts'
import { openPincall, type Subject } from './lib/http-subjects.ts'
import { type BenchedPostgres, POSTGRES_NOTE, startPostgres } from './lib/postgres.ts'
import { LOAD_CORE, SERVER_CORE, type Started, startOn, stayOn } from './lib/processes.ts'
import { report, roundsOr, say, scaled } from './lib/report.ts'

/**
 * One, two and three nodes on one PostgreSQL: their stores alone, then whole servers over HTTP, and what an idle server asks.
 * All nodes share a core and PostgreSQL has the other, so that this shows what nodes cost each other, not what more cores
 * would bring.
 */

const ROUNDS = roundsOr(3)
const NODES = [1, 2, 3]
const AT_ONCE = 96
const SENDS = scaled(12_000)
const HTTP_SENDS = scaled(6_000)
const IDLE_MS = scaled(60_000)
const WITHIN_MS = 120_000

type Measured = { perSecond: number; nodeCpuUs: number; databaseCpuUs: number; databaseCore: number; walBytes: number }
const KEYS = ['perSecond', 'nodeCpuUs', 'databaseCpuUs', 'databaseCore', 'walBytes'] as const
const UNITS: Record<keyof Measured, [string, string]> = {
  perSecond: ['rate', 'per second, all nodes'],
  nodeCpuUs: ['cpu', 'µs of the nodes’ CPU each'],
  databaseCpuUs: ['database-cpu', 'µs of PostgreSQL’s CPU each'],
  databaseCore: ['database-core', '% of PostgreSQL’s core'],
  walBytes: ['wal', 'bytes of write-ahead log each'],
}

type StoreNode = { ask(words: string): Promise<unknown>; stop(): Promise<void> }

function startStoreNode(url: string, which: number): StoreNode {
  const node: Started = startOn(SERVER_CORE, process.execPath, ['bench/lib/store-node.ts', url, String(which)])
  return {
    async ask(words) {
      node.tell(words)
      const [line] = await node.line(/^\{.*/, WITHIN_MS)
      return JSON.parse(line)
    },
    stop: () => node.stop(),
  }
}

async function measureStores(postgres: BenchedPostgres): Promise<void> {
  const nodes = Array.from({ length: Math.max(...NODES) }, (_, i) => startStoreNode(postgres.url, i + 1))
  const parties = JSON.stringify(await nodes[0].ask('make'))
  await Promise.all(nodes.map((node) => node.ask(`parties ${parties}`)))
  const all = new Map<string, Measured[]>()
  for (let round = 0; round <= ROUNDS; round++) {
    for (const spread of ['spread', 'hot']) {
      for (const count of NODES) {
        for (const operation of ['send', 'check']) {
          const name = `nodes.${count}.${spread}.${operation}`
          const measured = await together(postgres, nodes.slice(0, count), spread, operation)
          say(`${name} ${round}: ${told(measured)}`)
          if (round > 0) all.set(name, [...(all.get(name) ?? []), measured])
        }
      }
    }
  }
  await Promise.all(nodes.map((node) => node.stop()))
  for (const [name, list] of all) {
    const note = `${AT_ONCE} at once over all nodes, all on one core; ${POSTGRES_NOTE}`
    for (const key of KEYS) {
      const [word, unit] = UNITS[key]
      report({
        name: `${name}.${word}`,
        value: list.map((one) => one[key]),
        unit,
        ...(key === 'perSecond' && { note }),
      })
    }
  }
}

async function together(
  postgres: BenchedPostgres,
  nodes: StoreNode[],
  spread: string,
  operation: string,
): Promise<Measured> {
  const before = { cpu: postgres.cpuMs(), wal: await postgres.walBytes() }
  const begun = performance.now()
  const words = `${spread} ${operation} ${AT_ONCE / nodes.length} ${Math.ceil(SENDS / nodes.length)}`
  const figures = (await Promise.all(nodes.map((node) => node.ask(words)))) as Figures[]
  const ms = performance.now() - begun
  const databaseMs = postgres.cpuMs() - before.cpu
  const operations = (operation === 'send' ? 1 : 2) * nodes.length * Math.ceil(SENDS / nodes.length)
  return {
    perSecond: (operations * 1000) / ms,
    nodeCpuUs: figures.reduce((sum, { cpuUs }) => sum + cpuUs, 0) / nodes.length,
    databaseCpuUs: (databaseMs * 1000) / operations,
    databaseCore: (databaseMs * 100) / ms,
    walBytes: ((await postgres.walBytes()) - before.wal) / operations,
  }
}

const told = ({ perSecond, nodeCpuUs, databaseCpuUs, databaseCore, walBytes }: Measured) =>
  `${perSecond.toFixed(0)}/s, ${nodeCpuUs.toFixed(0)} + ${databaseCpuUs.toFixed(0)} µs, PostgreSQL ${databaseCore.toFixed(0)} % of its core, ${walBytes.toFixed(0)} bytes`

/** The same sends to one, two and three servers at once, each with its share of the connections. */
async function measureServers(postgres: BenchedPostgres): Promise<void> {
  const servers: Subject[] = []
  try {
    for (const count of NODES) {
      while (servers.length < count) servers.push(await openPincall(HTTP_SENDS, postgres))
      const rates: number[] = []
      const cpus: number[] = []
      for (let round = 0; round <= ROUNDS; round++) {
        const before = postgres.cpuMs()
        const begun = performance.now()
        const sends = Math.ceil(HTTP_SENDS / count)
        await Promise.all(servers.map((server) => server.send(sends)))
        const seconds = (performance.now() - begun) / 1000 // until the last is delivered
        if (round === 0) continue
        rates.push((sends * count) / seconds)
        cpus.push(((postgres.cpuMs() - before) * 1000) / (sends * count))
        say(
          `${count} servers: ${rates.at(-1)?.toFixed(0)} sends/s with their delivery, PostgreSQL ${cpus.at(-1)?.toFixed(0)} µs`,
        )
      }
      const note = 'POST /2fa/2/pin, until the last is delivered; servers on one core, load and PostgreSQL on the other'
      report({ name: `nodes.${count}.http.send.rate`, value: rates, unit: 'sends/s, delivered', note })
      report({ name: `nodes.${count}.http.send.database-cpu`, value: cpus, unit: 'µs of PostgreSQL’s CPU per send' })
    }
    await countIdle(postgres, servers.length)
  } finally {
    for (const server of servers) await server.close()
  }
}

/** What servers ask that have nothing to do. */
async function countIdle(postgres: BenchedPostgres, servers: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS / 6))
  await postgres.query('SELECT pg_stat_statements_reset()')
  const cpu = postgres.cpuMs()
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  const asked = await postgres.query<{ query: string; calls: string }>(
    `SELECT regexp_replace(query, '\\s+', ' ', 'g') AS query, calls FROM pg_stat_statements
     WHERE query NOT LIKE '%pg_stat_statements%' ORDER BY calls DESC`,
  )
  const perMinute = (calls: number) => (calls * 60_000) / IDLE_MS / servers
  for (const { query, calls } of asked)
    say(`idle: ${perMinute(Number(calls)).toFixed(1)} a minute: ${query.slice(0, 100)}`)
  report({
    name: 'nodes.idle.queries',
    value: perMinute(asked.reduce((sum, { calls }) => sum + Number(calls), 0)),
    unit: 'queries a minute and node',
    note: `idle: ${asked.map(({ query }) => query.slice(0, 60)).join(' | ') || 'nothing asked'}`,
  })
  report({
    name: 'nodes.idle.database-cpu',
    value: ((postgres.cpuMs() - cpu) * 60_000) / IDLE_MS / servers,
    unit: 'ms of PostgreSQL’s CPU a minute and node',
  })
}

stayOn(LOAD_CORE)
const postgres = await startPostgres({
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track': 'none',
})
try {
  await measureStores(postgres)
  await postgres.query("ALTER SYSTEM SET pg_stat_statements.track = 'top'")
  await postgres.query('SELECT pg_reload_conf()')
  await postgres.query('CREATE EXTENSION pg_stat_statements')
  await postgres.query('CREATE DATABASE servers')
  const url = Object.assign(new URL(postgres.url), { pathname: '/servers' }).href
  await measureServers({ ...postgres, url })
} finally {
  await postgres.close()
}
process.exit(0)
