import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../src/log.ts'
import { systemRandom } from '../src/random.ts'
import { openSqliteStore, type Store } from '../src/store/index.ts'
import { opaqueId, timedId } from '../src/verification/ids.ts'
import { SERVER_CORE, stayOn } from './lib/processes.ts'
import { report, roundsOr, say, scaled } from './lib/report.ts'

/** The store alone: how many sends are admitted and checks counted a second, by how many ask at once. SQLite, WAL, FULL. */

const ROUNDS = roundsOr(5)
const AT_ONCE = [1, 16, 64]
const OPERATIONS = { 1: scaled(2_000), 16: scaled(10_000), 64: scaled(20_000) } as Record<number, number>
const HOUR_MS = 3_600_000

type Figures = { perSecond: number; cpuUs: number }

/** So many callers, each asking again as soon as it was answered. */
async function closedLoop(atOnce: number, operations: number, operate: (i: number) => Promise<void>): Promise<Figures> {
  let next = 0
  const caller = async () => {
    while (next < operations) await operate(next++)
  }
  const cpu = process.cpuUsage()
  const begun = performance.now()
  await Promise.all(Array.from({ length: atOnce }, caller))
  const seconds = (performance.now() - begun) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { perSecond: operations / seconds, cpuUs: (user + system) / operations }
}

async function world(store: Store) {
  const [accountId, applicationId, templateId] = Array.from({ length: 3 }, () => opaqueId(systemRandom))
  const now = Date.now()
  await store.ensureAccount({ accountId, name: 'benchmark', createdAt: now }, 1e12)
  const wide = { count: 1e9, windowMs: HOUR_MS }
  await store.createApplication({
    applicationId,
    accountId,
    processId: opaqueId(systemRandom),
    name: 'benchmark',
    enabled: true,
    settings: {
      pinAttempts: 10,
      allowMultiplePinVerifications: true,
      pinTimeToLive: { ms: HOUR_MS },
      verifyPinLimit: wide,
      sendPinPerApplicationLimit: wide,
      sendPinPerPhoneNumberLimit: wide,
    },
    createdAt: now,
  })
  await store.createTemplate({
    templateId,
    applicationId,
    accountId,
    pinType: 'NUMERIC',
    pinLength: 6,
    text: 'Your code is {{pin}}.',
    placeholder: '{{pin}}',
    createdAt: now,
  })
  let sent: { pinId: string; to: string }[] = []
  return {
    forget: () => {
      sent = []
    },
    sent: () => sent,
    async send(i: number): Promise<void> {
      const at = Date.now()
      const to = `4179${1_000_000 + i}`
      const admission = await store.admitSend({
        pin: {
          pinId: timedId(systemRandom, at),
          accountId,
          applicationId,
          templateId,
          codeKeyId: 'k1',
          to,
          pinType: 'NUMERIC',
          pinLength: 6,
          createdAt: at,
          expiresAt: at + HOUR_MS,
          maxChecks: 10,
          allowMultiple: true,
        },
        delivery: { deliveryId: opaqueId(systemRandom), channel: 'sms', reserveMicros: 100 },
        counted: [
          { name: 'sendPinPerApplicationLimit', key: `send-application:${applicationId}`, ...wide },
          { name: 'sendPinPerPhoneNumberLimit', key: `send-number:${applicationId}:${to}`, ...wide },
        ],
        now: at,
      })
      if (admission.kind !== 'owed') throw new Error(`refused: ${admission.kind}`)
      sent.push({ pinId: admission.pinId, to })
    },
    /** Every PIN twice: wrong, then right. */
    async check(i: number): Promise<void> {
      const { pinId, to } = sent[i % sent.length]
      const matches = i >= sent.length
      const key = `verify-number:${applicationId}:${to}`
      const counted = [{ name: 'verifyPinLimit', key, ...wide }]
      const result = await store.countCheck({ accountId, pinId, matches, counted, now: Date.now() })
      if (result.kind !== (matches ? 'right' : 'wrong')) throw new Error(`a check was ${result.kind}`)
    },
  }
}

stayOn(SERVER_CORE)
const directory = mkdtempSync(join(tmpdir(), 'pincall-bench-store-'))
const store = await openSqliteStore({ path: join(directory, 'bench.db'), log: silentLog })
try {
  const { send, check, sent, forget } = await world(store)
  for (const atOnce of AT_ONCE) {
    const figures: { send: Figures[]; check: Figures[] } = { send: [], check: [] }
    for (let round = 0; round <= ROUNDS; round++) {
      forget()
      const sends = await closedLoop(atOnce, OPERATIONS[atOnce], send)
      const checks = await closedLoop(atOnce, 2 * sent().length, check)
      if (round === 0) continue // warm-up
      figures.send.push(sends)
      figures.check.push(checks)
    }
    for (const [what, list] of Object.entries(figures)) {
      const name = `store.${what === 'send' ? 'admit-send' : 'count-check'}.${atOnce}`
      const note = `${atOnce} at once, SQLite WAL FULL on ext4, one core, without HTTP`
      report({ name: `${name}.rate`, value: list.map((one) => one.perSecond), unit: 'per second', note })
      report({ name: `${name}.cpu`, value: list.map((one) => one.cpuUs), unit: 'µs of CPU each' })
    }
    say(`store, ${atOnce} at once: done`)
  }
} finally {
  await store.close()
  rmSync(directory, { recursive: true, force: true })
}
