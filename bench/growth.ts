import { openPostgresStore, type Store } from '../src/store/index.ts'
import { closedLoop, type Figures } from './lib/closed-loop.ts'
import { storeOptions } from './lib/engines.ts'
import { fill } from './lib/fill.ts'
import { type BenchedPostgres, POSTGRES_NOTE, startPostgres } from './lib/postgres.ts'
import { SERVER_CORE, stayOn } from './lib/processes.ts'
import { report, roundsOr, say, scaled } from './lib/report.ts'
import { drawnNumbers, makeParties, workOf } from './lib/work.ts'

/**
 * What a send and a check cost where 10,000, a million, and (PINCALL_BENCH_ROWS=10000000: 20 GB of disk, ten minutes more) ten
 * million PINs are stored. A database for each, on one PostgreSQL, their rounds taking turns.
 */

const ROUNDS = roundsOr(5)
const MOST_ROWS = Number(process.env.PINCALL_BENCH_ROWS ?? 1_000_000)
const SIZES = [10_000, 1_000_000, 10_000_000].filter((rows) => rows <= MOST_ROWS).map(scaled)
const AT_ONCE = 64
const SENDS = scaled(10_000)
const AIM = '<= 1.2'

type Measured = Figures & { walBytes: number }
type Size = { rows: number; store: Store; work: ReturnType<typeof workOf>; send: Measured[]; check: Measured[] }

async function prepare(postgres: BenchedPostgres, rows: number): Promise<Size> {
  const name = `rows_${rows}`
  await postgres.query(`CREATE DATABASE ${name}`)
  const url = Object.assign(new URL(postgres.url), { pathname: `/${name}` }).href
  const store = await openPostgresStore({ url, ...storeOptions })
  const parties = await makeParties(store, 50)
  const begun = performance.now()
  await fill(url, parties, rows)
  await postgres.settle(url)
  const [{ size }] = await postgres.query<{ size: string }>('SELECT pg_database_size($1) AS size', [name])
  const seconds = (performance.now() - begun) / 1000
  say(`${rows} PINs: filled in ${seconds.toFixed(0)} s, ${(Number(size) / 1e6).toFixed(0)} MB`)
  report({
    name: `growth.${rows}.size`,
    value: Number(size) / rows,
    unit: 'bytes on disk per PIN, all tables and indices',
  })
  return { rows, store, work: workOf(store, parties, drawnNumbers()), send: [], check: [] }
}

async function measured(postgres: BenchedPostgres, operations: number, operate: (i: number) => Promise<void>) {
  const before = await postgres.walBytes()
  const figures = await closedLoop(AT_ONCE, operations, operate, postgres.cpuMs)
  return { ...figures, walBytes: ((await postgres.walBytes()) - before) / operations }
}

async function oneRound(postgres: BenchedPostgres, size: Size, round: number): Promise<void> {
  const { work, rows } = size
  work.forget()
  const send = await measured(postgres, SENDS, work.send)
  const check = await measured(postgres, 2 * work.sent(), work.check)
  for (const [what, { perSecond, cpuUs, databaseCpuUs, walBytes }] of Object.entries({ send, check })) {
    say(
      `${rows} PINs ${round}: ${what} ${perSecond.toFixed(0)}/s, ${cpuUs.toFixed(0)} + ${databaseCpuUs.toFixed(0)} µs, ${walBytes.toFixed(0)} bytes of log`,
    )
  }
  if (round === 0) {
    const note = 'the first round after a checkpoint: a page is logged whole when it is first changed'
    report({
      name: `growth.${rows}.send.wal-after-checkpoint`,
      value: send.walBytes,
      unit: 'bytes of log per send',
      note,
    })
    return
  }
  size.send.push(send)
  size.check.push(check)
}

function tell(sizes: readonly Size[]): void {
  const [least] = sizes
  for (const { rows, ...lists } of sizes) {
    for (const what of ['send', 'check'] as const) {
      const of = (key: keyof Measured, list = lists[what]) => list.map((one) => one[key])
      const base = `growth.${rows}.${what}`
      report({
        name: `${base}.rate`,
        value: of('perSecond'),
        unit: 'per second',
        note: `${AT_ONCE} at once, 50 accounts; ${POSTGRES_NOTE}`,
      })
      report({ name: `${base}.cpu`, value: of('cpuUs'), unit: 'µs of node’s CPU each' })
      report({ name: `${base}.database-cpu`, value: of('databaseCpuUs'), unit: 'µs of PostgreSQL’s CPU each' })
      report({ name: `${base}.wal`, value: of('walBytes'), unit: 'bytes of log each' })
      if (rows === least.rows) continue
      const cost = ({ cpuUs, databaseCpuUs }: Measured) => cpuUs + databaseCpuUs
      const times = lists[what].map((one, round) => cost(one) / cost(least[what][round])) // of one moment: the hour is in both
      report({ name: `${base}.cost-against.${least.rows}`, value: times, unit: 'times the CPU', aim: AIM })
    }
  }
}

stayOn(SERVER_CORE)
const postgres = await startPostgres()
const sizes: Size[] = []
try {
  for (const rows of SIZES) sizes.push(await prepare(postgres, rows))
  for (let round = 0; round <= ROUNDS; round++) for (const size of sizes) await oneRound(postgres, size, round)
  tell(sizes)
} finally {
  for (const { store } of sizes) await store.close()
  await postgres.close()
}
