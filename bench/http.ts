import { CONNECTIONS, openPeer, openPincall, type Round, type Subject } from './lib/http-subjects.ts'
import { POSTGRES_NOTE, startPostgres } from './lib/postgres.ts'
import { LOAD_CORE, stayOn } from './lib/processes.ts'
import { median, report, roundsOr, say, scaled } from './lib/report.ts'

/**
 * `node bench/http.ts [sqlite | postgres]`: durable sends and checks over HTTP, the server on one core, the load on the other,
 * 64 connections, and in the same run better-auth's phone-number plugin the same way. A round sends so many PINs over SMS,
 * waits until all were delivered to the sandbox's inbox, then checks each of them twice: a wrong guess, then the right one.
 * PostgreSQL is on the load's core.
 */

const ROUNDS = roundsOr(5)
const SENDS = scaled(15_000)
const PEER_SENDS = scaled(2_000)

type Rounds = { send: Round[]; check: Round[] }

/** One round to warm up, then those that count. */
async function rounds(subject: Subject): Promise<Rounds> {
  const all: Rounds = { send: [], check: [] }
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      const send = await subject.send(round === 0 ? Math.ceil(subject.sends / 3) : subject.sends)
      const check = await subject.check()
      say(`${subject.name} ${round || 'warm-up'}: ${told('sends', send)}; ${told('checks', check)}`)
      if (round === 0) continue
      all.send.push(send)
      all.check.push(check)
    }
  } finally {
    await subject.close()
  }
  return all
}

const told = (what: string, round: Round) =>
  `${round.perSecond.toFixed(0)} ${what}/s, p50 ${round.p50Ms.toFixed(1)} ms, p99 ${round.p99Ms.toFixed(1)} ms, ` +
  `${round.cpuUs.toFixed(0)} (${round.cpuWithDeliveryUs.toFixed(0)}) µs, ` +
  `PostgreSQL ${round.databaseCpuUs.toFixed(0)} (${round.databaseCpuWithDeliveryUs.toFixed(0)}) µs`

const of = <K extends keyof Round>(list: Round[], key: K) => list.map((round) => Number(round[key]))

/** What the issues want of each engine, and where it runs. */
const ENGINES = {
  sqlite: { prefix: 'http', where: 'SQLite WAL FULL, one core', send: '>= 8000', verify: '>= 15000', times: '>= 8' },
  postgres: { prefix: 'http.postgres', where: POSTGRES_NOTE, send: '>= 5000', verify: undefined, times: undefined },
} as const
type EngineName = keyof typeof ENGINES

function reportPincall(engine: EngineName, { send, check }: Rounds): void {
  const { prefix, where, send: sendAim, verify: verifyAim } = ENGINES[engine]
  const share = median(send.map((round) => round.delivered / round.requests))
  const delivery = `SMS delivery to the sandbox inbox (claim, attempt, close) ran meanwhile for ${(share * 100).toFixed(0)} % of the sends`
  const conditions = `${CONNECTIONS} connections, ${where}`
  const tell = (
    name: string,
    list: Round[],
    key: keyof Round,
    unit: string,
    more: { aim?: string; note?: string } = {},
  ) => report({ name: `${prefix}.${name}`, value: of(list, key), unit, ...more })
  tell('send.rate', send, 'perSecond', 'sends/s', { aim: sendAim, note: `${conditions}; ${delivery}` })
  tell('send.p50', send, 'p50Ms', 'ms')
  tell('send.p99', send, 'p99Ms', 'ms', { aim: '< 25' })
  tell('send.cpu', send, 'cpuUs', 'µs of server CPU per send', { note: delivery })
  const untilEnd = { note: 'until the last of them was delivered' }
  tell('send.cpu-with-delivery', send, 'cpuWithDeliveryUs', 'µs of server CPU per send', untilEnd)
  if (engine === 'postgres') {
    tell('send.database-cpu', send, 'databaseCpuUs', 'µs of PostgreSQL’s CPU per send')
    tell(
      'send.database-cpu-with-delivery',
      send,
      'databaseCpuWithDeliveryUs',
      'µs of PostgreSQL’s CPU per send',
      untilEnd,
    )
  }
  tell('verify.rate', check, 'perSecond', 'checks/s', {
    ...(verifyAim && { aim: verifyAim }),
    note: `${conditions}; a wrong and a right guess of every PIN`,
  })
  tell('verify.p50', check, 'p50Ms', 'ms')
  tell('verify.p99', check, 'p99Ms', 'ms', { aim: '< 25' })
  tell('verify.cpu', check, 'cpuUs', 'µs of server CPU per check')
  if (engine === 'postgres') tell('verify.database-cpu', check, 'databaseCpuUs', 'µs of PostgreSQL’s CPU per check')
}

function reportPeer(engine: EngineName, name: string, peer: Rounds): void {
  for (const [what, list, unit] of [
    ['send', peer.send, 'send'],
    ['verify', peer.check, 'check'],
  ] as const) {
    const base = `${ENGINES[engine].prefix}.${name}.${what}`
    report({ name: `${base}.rate`, value: of(list, 'perSecond'), unit: `${unit}s/s` })
    report({ name: `${base}.cpu`, value: of(list, 'cpuUs'), unit: `µs of server CPU per ${unit}` })
    report({ name: `${base}.p99`, value: of(list, 'p99Ms'), unit: 'ms' })
    if (engine === 'sqlite') continue
    report({
      name: `${base}.database-cpu`,
      value: of(list, 'databaseCpuUs'),
      unit: `µs of PostgreSQL’s CPU per ${unit}`,
    })
  }
}

function reportRatios(engine: EngineName, ours: Rounds, name: string, peer: Rounds, aim: string | undefined): void {
  const { prefix } = ENGINES[engine]
  for (const [what, key] of [
    ['send', 'send'],
    ['verify', 'check'],
  ] as const) {
    const rate = median(of(ours[key], 'perSecond')) / median(of(peer[key], 'perSecond'))
    const cpu = median(of(peer[key], 'cpuUs')) / median(of(ours[key], 'cpuUs'))
    report({ name: `${prefix}.${what}.rate-against.${name}`, value: rate, unit: 'times', ...(aim && { aim }) })
    report({ name: `${prefix}.${what}.cpu-against.${name}`, value: cpu, unit: 'times less CPU' })
  }
}

async function compare(engine: EngineName, peers: (() => Promise<Subject>)[], ours: Rounds): Promise<void> {
  for (const open of peers) {
    const subject = await open()
    const peer = await rounds(subject)
    reportPeer(engine, subject.name, peer)
    reportRatios(
      engine,
      ours,
      subject.name,
      peer,
      subject.name.includes('as-shipped') ? undefined : ENGINES[engine].times,
    )
  }
}

async function onSqlite(): Promise<void> {
  const ours = await rounds(await openPincall(SENDS))
  reportPincall('sqlite', ours)
  const peers = [
    () => openPeer(PEER_SENDS, 'wal-full', 'consume'),
    () => openPeer(PEER_SENDS, 'wal-full', 'verify'),
    () => openPeer(PEER_SENDS, 'as-shipped', 'consume'),
  ]
  await compare('sqlite', peers, ours)
}

async function onPostgres(): Promise<void> {
  const postgres = await startPostgres()
  try {
    const ours = await rounds(await openPincall(SENDS, postgres))
    reportPincall('postgres', ours)
    await postgres.query('CREATE DATABASE peer')
    const url = Object.assign(new URL(postgres.url), { pathname: '/peer' }).href
    await compare('postgres', [() => openPeer(PEER_SENDS, 'postgres', 'consume', { ...postgres, url })], ours)
  } finally {
    await postgres.close()
  }
}

stayOn(LOAD_CORE)
const asked = process.argv[2]
if (asked !== 'postgres') await onSqlite()
if (asked !== 'sqlite') await onPostgres()
process.exit(0)
