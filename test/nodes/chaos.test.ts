import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { type Random, seededRandom } from '../../src/random.ts'
import { type Nodes, startNodes } from '../testbed/nodes.ts'
import { openPhones } from '../testbed/phones.ts'
import { startPostgres, type TestPostgres } from '../testbed/postgres.ts'
import { type RunningPincall, setUp } from '../testbed/running-server.ts'
import { checkTruth } from './check-truth.ts'
import { type Book, PIN_ATTEMPTS, startLoad } from './load.ts'

const NODES = 3
const NODE_KILLS = 10
const POSTGRES_KILLS = 3
/** Issue 3: every call has a final status within a minute of the last blow. */
const FINAL_WITHIN_MS = 60_000

test('three nodes, kill -9 of nodes and of PostgreSQL under load: nothing acknowledged is lost, nobody is called twice', async (t) => {
  const seed = process.env.PINCALL_TEST_SEED ?? String(Date.now())
  const random = seededRandom(seed)
  await using postgres = await startPostgres()
  await using phones = await openPhones()
  await using nodes = await startNodes({
    databaseUrl: await postgres.freshDatabase(),
    count: NODES,
    // What computes beside us may keep a phone from answering for seconds: that is no reason to try another trunk.
    config: phones.peering('ringTimeoutS: 30, noResponseMs: 30000'),
    env: { PINCALL_CALL_WAIT_S: '60' },
  })
  const sending = await setUp(nodes, {
    configuration: { pinAttempts: PIN_ATTEMPTS, verifyPinLimit: '100000/1s', allowMultiplePinVerifications: false },
  })
  const load = startLoad(nodes, phones, sending, random)
  try {
    const outages = await strike(nodes, postgres, random)
    const quietAt = systemClock.monotonic()
    await load.stop()
    await using store = await nodes.store()
    const open = async () => Object.values(await store.backlog()).reduce((sum, each) => sum + each, 0)
    while ((await open()) > 0) {
      assert.ok(systemClock.monotonic() - quietAt < FINAL_WITHIN_MS, `${await open()} calls have no final status`)
      await systemClock.wait(200)
    }
    report(t, load.book, outages, systemClock.monotonic() - quietAt)
    await checkTruth(load.book, { nodes, phones, store })
  } catch (error) {
    t.diagnostic(`to play it again: PINCALL_TEST_SEED=${seed}`)
    for (const place of nodes.up()) t.diagnostic(`node ${place}: ${logOf(nodes.node(place))}`)
    throw error
  } finally {
    await load.stop()
  }
})

/** The blows in a random order, each at a random moment after the one before is healed. */
async function strike(nodes: Nodes, postgres: TestPostgres, random: Random): Promise<number[]> {
  const outages: number[] = []
  const left = { node: NODE_KILLS, postgres: POSTGRES_KILLS }
  while (left.node + left.postgres > 0) {
    await systemClock.wait(500 + random.int(2500))
    const what = random.int(left.node + left.postgres) < left.node ? 'node' : 'postgres'
    left[what]--
    if (what === 'node') {
      const place = random.int(nodes.count)
      await nodes.kill(place)
      await nodes.start(place)
    } else {
      const killedAt = systemClock.monotonic()
      await postgres.kill()
      await systemClock.wait(random.int(1500))
      await postgres.start()
      outages.push(systemClock.monotonic() - killedAt)
    }
  }
  return outages
}

/** What a node said beside its access log. */
const logOf = (node: RunningPincall) =>
  node
    .output()
    .split('\n')
    .filter((line) => !line.includes('"msg":"request"'))
    .join('\n')
    .slice(-3000)

function report(t: TestContext, book: Book, outages: number[], finalMs: number): void {
  const { requests, acknowledged, unknown, longestGapMs, told } = book
  const s = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  t.diagnostic(
    `killed: nodes ${NODE_KILLS} times, PostgreSQL ${POSTGRES_KILLS} times (${outages.map(s).join(', ')} until it ran again)`,
  )
  t.diagnostic(`requests ${requests}: acknowledged ${acknowledged}, unknown or refused ${unknown}; ${told.length} PINs`)
  t.diagnostic(`longest without an acknowledged answer: ${s(longestGapMs)}; last call final after ${s(finalMs)}`)
}
