import { LEASE_MS, limit, MINUTE, newId, START, type World } from '../store/world.ts'
import type { TestDatabases } from './postgres.ts'

/** Sums over a whole database: what is done once changes them once. */
export type Traces = Record<string, number>

const SUMS = {
  pins: 'SELECT count(*) FROM pins',
  deliveries: 'SELECT count(*) FROM deliveries',
  claimed: "SELECT count(*) FROM deliveries WHERE state = 'claimed'",
  told: 'SELECT count(*) FROM deliveries WHERE disposition IS NOT NULL',
  ended: "SELECT count(*) FROM deliveries WHERE state = 'closed'",
  corrected: "SELECT count(*) FROM events WHERE kind = 'delivery.corrected'",
  attempts: 'SELECT count(*) FROM attempts',
  attemptsEnded: 'SELECT count(*) FROM attempts WHERE ended_at IS NOT NULL',
  charged: 'SELECT sum(charged_micros) FROM deliveries',
  trunkStarts: 'SELECT count(*) FROM trunk_starts',
  checks: 'SELECT sum(checks) FROM pins',
  verified: 'SELECT count(verified_at) FROM pins',
  resends: 'SELECT sum(resends) FROM pins',
  counted: 'SELECT sum(count) FROM counters',
  keys: 'SELECT count(*) FROM idempotency',
  balance: 'SELECT sum(balance_micros) FROM accounts',
  reserved: 'SELECT sum(reserved_micros) FROM accounts',
  ledger: 'SELECT sum(micros) FROM ledger',
  ledgerRows: 'SELECT count(*) FROM ledger',
  events: 'SELECT count(*) FROM events',
  eventHeads: 'SELECT sum(seq) FROM event_heads',
  applications: 'SELECT count(*) FROM applications',
  templates: 'SELECT count(*) FROM templates',
  apiKeys: 'SELECT count(*) FROM api_keys',
  sessions: 'SELECT count(*) FROM sessions',
}

export async function tracesIn(databases: TestDatabases, url: string): Promise<Traces> {
  const sums = Object.entries(SUMS).map(([name, sql]) => `coalesce((${sql}), 0)::float8 AS "${name}"`)
  const [row] = await databases.query(`SELECT ${sums.join(', ')}`, [], url)
  return row as Traces
}

/** What is different, and by how much. */
export const changeBetween = (before: Traces, now: Traces): Traces =>
  Object.fromEntries(
    Object.keys(SUMS)
      .map((name): [string, number] => [name, now[name] - before[name]])
      .filter(([, difference]) => difference !== 0),
  )

/** Something that must happen once, however often the connection is lost. */
export type Deed = {
  name: string
  /** The statement that writes it, by its name. */
  statement: RegExp
  /** A table that it comes to late, when it has written or locked elsewhere: whoever holds it can stop it half way. */
  late: string
  /** Makes everything that it needs. `change` is what it leaves behind, done once. */
  prepare(world: World): Promise<{ act(): Promise<unknown>; answer: unknown; change: Traces }>
}

const CLAIMED: Omit<Deed, 'name' | 'statement' | 'prepare'> = { late: 'accounts' }
const BEGIN_LIMITS = { callsPerSecond: 1, concurrency: 1 }

/** Each with limits, credit and places for one: whoever does it twice is refused the second time. */
export const DEEDS: readonly Deed[] = [
  {
    name: 'send',
    statement: /^admit_sends/,
    late: 'pins',
    async prepare(world) {
      const counted = [limit('perNumber', newId('send-number'), 1, MINUTE, '41793026727')]
      const spent = await world.send({ delivery: { reserveMicros: 999_000 } }) // leaves credit for one
      await world.claim()
      await world.close(spent.deliveryId, { disposition: 'no_route' })
      await world.send({ delivery: { reserveMicros: 999_000 } })
      const send = world.sendOf({ counted, idempotency: { key: newId('key'), fingerprint: 'f' } })
      const { deliveryId } = send.delivery
      return {
        act: () => world.store.admitSend(send),
        answer: { kind: 'owed', deliveryId, pinId: send.pin.pinId },
        change: { pins: 1, deliveries: 1, counted: 1, keys: 1, reserved: 1000 },
      }
    },
  },
  {
    name: 'resend',
    statement: /^admit_resend/,
    late: 'accounts',
    async prepare(world) {
      const { pinId, deliveryId } = await world.send()
      await world.claim()
      await world.close(deliveryId, { disposition: 'no_route' })
      const again = newId('delivery')
      const asked = {
        delivery: { deliveryId: again },
        counted: [limit('perNumber', newId('send-number'), 1, MINUTE)],
        idempotency: { key: newId('key'), fingerprint: 'f' },
        maxResends: 1,
      }
      return {
        act: () => world.resend(pinId, asked),
        answer: { kind: 'owed', deliveryId: again, pinId },
        change: { deliveries: 1, resends: 1, counted: 1, keys: 1, reserved: 1000 },
      }
    },
  },
  {
    name: 'right check',
    statement: /^count_(together|checks)/,
    late: 'event_heads',
    async prepare(world) {
      const { pinId } = await world.send({ pin: { maxChecks: 1, allowMultiple: false } })
      const counted = [limit('verifyPinLimit', newId('check'), 1, MINUTE)]
      return {
        act: () => world.check(pinId, true, { counted }),
        answer: { kind: 'right', first: true, to: '41793026727' },
        change: { checks: 1, verified: 1, counted: 1, events: 1, eventHeads: 1 },
      }
    },
  },
  {
    name: 'wrong check',
    statement: /^count_(together|checks)/,
    late: 'pins',
    async prepare(world) {
      const { pinId } = await world.send()
      const counted = [limit('verifyPinLimit', newId('check'), 1, MINUTE)]
      return {
        act: () => world.check(pinId, false, { counted }),
        answer: { kind: 'wrong', checksLeft: 2, to: '41793026727' },
        change: { checks: 1, counted: 1 },
      }
    },
  },
  {
    name: 'wrong check without a limit',
    statement: /^count_(together|checks)/,
    late: 'pins',
    async prepare(world) {
      const { pinId } = await world.send()
      return {
        act: () => world.check(pinId, false),
        answer: { kind: 'wrong', checksLeft: 2, to: '41793026727' },
        change: { checks: 1 },
      }
    },
  },
  {
    name: 'begun attempt',
    statement: /^begin_attempts/,
    late: 'attempts',
    async prepare(world) {
      const { deliveryId } = await world.send()
      await world.claim()
      const asked = { attemptId: newId('attempt'), trunk: newId('trunk'), limits: BEGIN_LIMITS }
      return {
        act: () => world.tryToBegin(deliveryId, asked),
        answer: { kind: 'begun', atRateLimit: true },
        change: { attempts: 1, trunkStarts: 1 },
      }
    },
  },
  {
    name: 'closed attempt',
    statement: /^close_attempts/,
    ...CLAIMED,
    async prepare(world) {
      const { deliveryId } = await world.send()
      const attemptId = await world.claimAndBegin(deliveryId)
      return {
        act: () => world.close(deliveryId, { attemptId, chargeMicros: 400 }),
        answer: true,
        change: {
          claimed: -1,
          told: 1,
          ended: 1,
          attemptsEnded: 1,
          charged: 400,
          balance: -400,
          reserved: -1000,
          ledger: -400,
          ledgerRows: 1,
          events: 1,
          eventHeads: 1,
        },
      }
    },
  },
  {
    name: 'attempt closed with another to follow',
    statement: /^close_attempts/,
    ...CLAIMED,
    async prepare(world) {
      const { deliveryId } = await world.send()
      const attemptId = await world.claimAndBegin(deliveryId)
      const end = { attemptId, disposition: 'trunk_failed' as const, chargeMicros: 400, final: false }
      return {
        act: () => world.close(deliveryId, end),
        answer: true,
        change: { attemptsEnded: 1, charged: 400, balance: -400, reserved: -400, ledger: -400, ledgerRows: 1 },
      }
    },
  },
  {
    name: 'late end of an attempt that was given up',
    statement: /^correct_attempt/,
    ...CLAIMED,
    async prepare(world) {
      const { deliveryId } = await world.send()
      const attemptId = await world.claimAndBegin(deliveryId)
      await world.store.recover({ nodeId: 'other', all: false, now: START + LEASE_MS })
      return {
        act: () => world.close(deliveryId, { attemptId, chargeMicros: 400 }),
        answer: true,
        change: { corrected: 1, charged: 400, balance: -400, ledger: -400, ledgerRows: 1, events: 1, eventHeads: 1 },
      }
    },
  },
  {
    name: 'recorded outcome',
    statement: /^record_outcome/,
    late: 'event_heads',
    async prepare(world) {
      const { deliveryId } = await world.send()
      await world.claimAndBegin(deliveryId)
      const { nodeId } = world
      const said = { deliveryId, nodeId, disposition: 'heard' as const, evidence: { readings: 1 }, event: {} }
      return {
        act: () => world.store.recordOutcome({ ...said, now: START }),
        answer: true,
        change: { told: 1, events: 1, eventHeads: 1 },
      }
    },
  },
  {
    name: 'top-up',
    statement: /^top up/,
    late: 'ledger',
    prepare: async (world) => ({
      act: () => world.store.topUp(world.accountId, 5, 'card', START),
      answer: undefined,
      change: { balance: 5, ledger: 5, ledgerRows: 1 },
    }),
  },
  {
    name: 'new application',
    statement: /^create application/,
    late: 'applications',
    async prepare(world) {
      const loaded = await world.store.findApplication(world.accountId, world.applicationId)
      if (!loaded) throw new Error('the world has no application')
      const application = { ...loaded, applicationId: newId('application') }
      return {
        act: () => world.store.createApplication(application),
        answer: undefined,
        change: { applications: 1 },
      }
    },
  },
]
