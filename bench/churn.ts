import { statSync } from 'node:fs'
import { ENGINES, type Engine, type EngineName, openEngine } from './lib/engines.ts'
import { SERVER_CORE, stayOn } from './lib/processes.ts'
import { report, say, scaled } from './lib/report.ts'
import { drawnNumbers, makeParties, type Party, sendFor } from './lib/work.ts'

/**
 * `node bench/churn.ts [sqlite | postgres]`: a month in a few minutes. Each day so many PINs are sent, delivered, paid and
 * verified; each night what is older than three days is pruned and what ended is swept, as the server does it. What pruning
 * costs, and whether the tables stay as large as three days are.
 */

const DAYS = 12
const KEPT_DAYS = 3
const PINS_A_DAY = scaled(4_000)
const DAY_MS = 86_400_000
const BATCH = 200
const AT_ONCE = 64
const NODE = 'bench'
const AIM = '<= 1.1'

/** Sends one, carries it out, and verifies it, as if it were then. */
async function oneDay(engine: Engine, parties: readonly Party[], number: () => string, now: number): Promise<void> {
  const { store } = engine
  const to = new Map<string, { accountId: string; pinId: string }>()
  for (let sent = 0; sent < PINS_A_DAY; sent += AT_ONCE) {
    const sends = Array.from({ length: Math.min(AT_ONCE, PINS_A_DAY - sent) }, (_, i) =>
      sendFor(parties[(sent + i) % parties.length], number(), now + sent),
    )
    await Promise.all(sends.map((send) => store.admitSend(send)))
    const jobs = await store.claimDeliveries({
      nodeId: NODE,
      channel: 'sms',
      most: AT_ONCE,
      leaseMs: 60_000,
      now: now + sent,
    })
    await Promise.all(
      jobs.map(async ({ delivery }, i) => {
        const { deliveryId, accountId, pinId } = delivery
        const attemptId = `${deliveryId}-${i}`
        await store.beginAttempt({ attemptId, deliveryId, nodeId: NODE, trunk: 'sandbox', now: now + sent })
        await store.closeAttempt({
          deliveryId,
          nodeId: NODE,
          attemptId,
          disposition: 'sms_sent',
          evidence: { trunk: 'sandbox' },
          chargeMicros: delivery.reservedMicros,
          final: true,
          event: { disposition: 'sms_sent', channel: 'sms' },
          now: now + sent,
        })
        to.set(pinId, { accountId, pinId })
      }),
    )
  }
  const checks = [...to.values()].map((pin) =>
    store.countCheck({ ...pin, matches: true, counted: [], now: now + PINS_A_DAY }),
  )
  await Promise.all(checks)
}

type Pruned = { pins: number; ms: number; cpuMs: number }

async function oneNight({ store, postgres }: Engine, parties: readonly Party[], now: number): Promise<Pruned> {
  const cpu = process.cpuUsage()
  const database = postgres?.cpuMs() ?? 0
  const begun = performance.now()
  let pins = 0
  await store.sweep(now)
  for (const { application } of parties) {
    for (let more = true; more; ) {
      const removed = await store.prune({
        accountId: application.accountId,
        before: now - KEPT_DAYS * DAY_MS,
        most: BATCH,
      })
      pins += removed.pins
      more = removed.pins + removed.events > 0
    }
  }
  const ms = performance.now() - begun
  const { user, system } = process.cpuUsage(cpu)
  return { pins, ms, cpuMs: (user + system) / 1000 + (postgres?.cpuMs() ?? 0) - database }
}

async function sizeOf({ postgres, path }: Engine): Promise<number> {
  if (!postgres) return statSync(path!).size
  await postgres.query('VACUUM') // autovacuum comes once a minute; here a minute is days
  const [{ size }] = await postgres.query<{ size: string }>('SELECT pg_database_size(current_database()) AS size')
  return Number(size)
}

async function churn(engine: Engine): Promise<void> {
  const parties = await makeParties(engine.store, 10)
  const number = drawnNumbers()
  const start = engine.store.clock.now()
  const sizes: number[] = []
  const nights: Pruned[] = []
  for (let day = 0; day < DAYS; day++) {
    const now = start + day * DAY_MS
    await oneDay(engine, parties, number, now)
    const night = await oneNight(engine, parties, now + DAY_MS / 2)
    sizes.push(await sizeOf(engine))
    if (night.pins > 0) nights.push(night)
    say(
      `${engine.name} day ${day + 1}: ${(sizes[day] / 1e6).toFixed(1)} MB, ${night.pins} PINs pruned in ${night.ms.toFixed(0)} ms`,
    )
  }
  const base = `churn.${engine.name}`
  const note = `${PINS_A_DAY} PINs a day with delivery, attempt, charge and two events, ${KEPT_DAYS} days kept`
  report({
    name: `${base}.prune.rate`,
    value: nights.map(({ pins, ms }) => (pins * 1000) / ms),
    unit: 'PINs pruned a second',
    note,
  })
  report({
    name: `${base}.prune.cpu`,
    value: nights.map(({ pins, cpuMs }) => (cpuMs * 1000) / pins),
    unit: 'µs of CPU per PIN, node and database',
  })
  report({ name: `${base}.size`, value: sizes.at(-1)! / 1e6, unit: `MB after ${DAYS} days` })
  const middle = Math.floor(DAYS / 2)
  report({ name: `${base}.size-against-half-way`, value: sizes.at(-1)! / sizes[middle], unit: 'times', aim: AIM })
}

stayOn(SERVER_CORE)
const asked = process.argv.slice(2) as EngineName[]
for (const name of asked.length > 0 ? asked : ENGINES) {
  const engine = await openEngine(name)
  try {
    await churn(engine)
  } finally {
    await engine.close()
  }
}
