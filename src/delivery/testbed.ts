import { makeWorld, TEST_NUMBERS, type World } from '../../test/store/world.ts'
import { type Absent, absentDatabase } from '../../test/testbed/absent-database.ts'
import { ManualClock } from '../clock.ts'
import { makeEvents } from '../events/index.ts'
import { makeLog } from '../log.ts'
import { seededRandom } from '../random.ts'
import { makeRouting, type Trunk } from '../routing/index.ts'
import { openSqliteStore } from '../store/index.ts'
import type { Delivery, Store } from '../store/types.ts'
import type { CallOrder, CallResult } from '../voice/index.ts'
import { type Deliveries, type DeliveryDeps, type Observation, runDeliveries } from './index.ts'

/** Nodes on one database, whose calls are placed by hand, under a clock that is turned by hand. */

export const LEASE_MS = 30_000

/** A call that was placed: it goes on until the test ends it. */
export type PlacedCall = {
  uri: string
  heard(): void
  end(result?: Partial<CallResult['evidence']>, end?: CallResult['end']): void
}

export type Node = {
  deliveries: Deliveries
  database: Absent
  calls: PlacedCall[]
  texts: string[]
  observed: Observation[]
  lines: Record<string, unknown>[]
  /** Another node asks this one for help. */
  helpAsked(channel: 'voice' | 'sms'): void
  asksForHelp: string[]
}

export type Nodes = {
  clock: ManualClock
  store: Store
  world: World
  start(nodeId: string, change?: Partial<DeliveryDeps>): Node
  delivery(deliveryId: string): Promise<Delivery>
  /** Turns the clock a second at a time, until something holds; fails after so many seconds. */
  within(seconds: number, holds: () => boolean | Promise<boolean>): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export const trunk = (name: string, change: Partial<Trunk> = {}): Trunk => ({
  name,
  host: '192.0.2.1',
  port: 5060,
  numberFormat: 'plus',
  codecs: ['PCMA'],
  ringTimeoutMs: 45_000,
  noResponseMs: 4000,
  callsPerSecond: 100,
  concurrency: 100,
  ...change,
})

const PRICE = { pricePerMinute: 600, incrementS: 1 } // 10 a second

export async function openNodes(trunks: Trunk[] = [trunk('carrier')]): Promise<Nodes> {
  const clock = new ManualClock()
  const lines: Record<string, unknown>[] = []
  const log = makeLog({ level: 'debug', destination: { write: (line) => void lines.push(JSON.parse(line)) } })
  const store = await openSqliteStore({ path: ':memory:', log, clock, numbers: TEST_NUMBERS })
  const world = await makeWorld(store)
  const rule = { prefix: '', trunks: trunks.map(({ name }) => name), caller: '41440000000', ...PRICE }
  const started: Node[] = []

  return {
    clock,
    store,
    world,
    start(nodeId, change = {}) {
      const database = absentDatabase(store)
      const own: Node['lines'] = []
      const helpers = new Set<(channel: 'voice' | 'sms') => void>()
      const asksForHelp: string[] = []
      const calls: PlacedCall[] = []
      const texts: string[] = []
      const observed: Observation[] = []
      const connected: Store = Object.assign(Object.create(database.store), {
        askForHelp: (channel: string) => void asksForHelp.push(channel),
        onHelpAsked(listener: (channel: 'voice' | 'sms') => void) {
          helpers.add(listener)
          return () => helpers.delete(listener)
        },
      })
      const deliveries = runDeliveries({
        clock,
        random: seededRandom(nodeId),
        log: makeLog({ level: 'debug', destination: { write: (line) => void own.push(JSON.parse(line)) } }),
        store: connected,
        events: makeEvents(store),
        routing: makeRouting(trunks, [rule]),
        speech: { prepare: async () => ({}) as never },
        placeCall: (order, hooks) => placed(order, hooks, calls),
        sms: { name: 'gateway', send: async ({ text }) => void texts.push(text) },
        smsPriceMicros: 7,
        codeOf: () => '1234',
        textOf: () => 'Your code is {{pin}}',
        speechFault: () => false,
        proof: 'detect',
        longestCallMs: 60_000,
        fromHost: '127.0.0.1',
        nodeId,
        leaseMs: LEASE_MS,
        most: { voice: 10, sms: 10 },
        observe: (observation) => void observed.push(observation),
        ...change,
      })
      const helpAsked: Node['helpAsked'] = (channel) => {
        for (const listener of [...helpers]) listener(channel)
      }
      const node = { deliveries, database, calls, texts, observed, lines: own, helpAsked, asksForHelp }
      started.push(node)
      return node
    },
    async delivery(deliveryId) {
      const found = await store.findDelivery(world.accountId, deliveryId)
      if (!found) throw new Error(`${deliveryId} is not there`)
      return found
    },
    async within(seconds, holds) {
      for (let passed = 0; ; passed++) {
        for (let turns = 0; turns < 20; turns++) {
          if (await holds()) return
          await new Promise((resolve) => setImmediate(resolve))
        }
        if (passed === seconds) throw new Error(`it did not happen within ${seconds} s`)
        await clock.advance(1000)
      }
    },
    async [Symbol.asyncDispose]() {
      for (const { deliveries, calls, database } of started) {
        database.bringBack()
        for (const call of calls) call.end()
        await deliveries.drain(0)
      }
      await store.close()
    },
  }
}

function placed(
  order: CallOrder,
  hooks: Parameters<DeliveryDeps['placeCall']>[1],
  calls: PlacedCall[],
): Promise<CallResult> {
  return new Promise((resolve) => {
    const evidence = { rang: true, readings: 1 }
    calls.push({
      uri: order.uri,
      heard: () => hooks.onHeard?.(evidence),
      end: (more = {}, end = { kind: 'heard' }) => resolve({ end, evidence: { ...evidence, talkMs: 10_000, ...more } }),
    })
    hooks.signal?.addEventListener('abort', () => resolve({ end: { kind: 'stopped' }, evidence }))
  })
}
