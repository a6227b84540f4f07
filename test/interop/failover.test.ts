import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import pg from 'pg'
import { systemClock } from '../../src/clock.ts'
import type { Store } from '../../src/store/index.ts'
import { type Nodes, startNodes } from '../testbed/nodes.ts'
import { type Cluster, type Primary, startCluster } from '../testbed/patroni.ts'
import { openPhones, type Phones } from '../testbed/phones.ts'
import { setUp } from '../testbed/running-server.ts'
import { type Deed, type Load, startLoad } from './failover-load.ts'

const NODES = 2
const CALLS_A_DEATH = 3
const PIN_ATTEMPTS = 10
/** Enough for a warm pool and for every client to have been through all it does. */
const WARM = 300
const DRAINED_WITHIN_MS = 60_000
/** Shorter than the time without service: the leases of all that runs end meanwhile. */
const LEASE_S = 8
const CALL_WITHIN_MS = 60_000

const DEATHS: { how: string; strike: (cluster: Cluster) => Promise<Primary> }[] = [
  { how: 'kill -9 of PostgreSQL, Patroni and etcd', strike: (cluster) => cluster.killPrimary() },
  { how: 'its machine falls silent', strike: (cluster) => cluster.freezePrimary() },
]

test('the primary dies twice under load, a standby takes over: nothing acknowledged is lost, nothing is done twice', async (t) => {
  await using cluster = await startCluster()
  await using phones = await openPhones()
  await using nodes = await startNodes({
    databaseUrl: cluster.url,
    count: NODES,
    config: configOf(phones),
    env: { PINCALL_SANDBOX: 'on' },
  })
  const configuration = { pinAttempts: PIN_ATTEMPTS, sendPinPerApplicationLimit: '1000000/1d' }
  const load = startLoad(nodes, await setUp(nodes, { configuration }))
  try {
    await load.more(WARM)
    for (const { how, strike } of DEATHS) {
      const calls = await load.call(CALLS_A_DEATH)
      await Promise.all(calls.map(({ to }) => answered(to, phones)))
      const struckAt = systemClock.monotonic()
      const asked = load.call(CALLS_A_DEATH) // on their way from request to dial just then
      const dead = await strike(cluster)
      const next = await cluster.waitForPrimary(dead.name)
      await load.more(WARM)
      report(t, `${how}: ${dead.name} died, ${next.name} took over`, load, struckAt)
      await cluster.bringBack(dead.name)
      await cluster.waitForStandbys()
      for (const call of calls) assert.equal(await endOf(call, nodes, phones), 'heard')
      for (const call of await asked) assert.match(await endOf(call, nodes, phones), /^(heard|abandoned)$/)
    }
    await load.stop()
    await using store = await nodes.store()
    await drained(store)
    assert.deepEqual(load.unexpected, [])
    await checkRows(t, load, cluster.url)
    assert.equal(await store.ledgerDrift(), 0)
    const [{ accountId }] = await store.listAccounts()
    assert.equal((await store.balance(accountId)).reservedMicros, 0)
  } catch (error) {
    t.diagnostic(cluster.logs())
    for (const place of nodes.up()) t.diagnostic(`node ${place}: ${nodes.node(place).output().slice(-3000)}`)
    throw error
  } finally {
    await load.stop()
  }
})

/** Time without service: from the last write acknowledged before to the first one acknowledged after. */
function report(t: TestContext, what: string, load: Load, struckAt: number): void {
  const times = load.acknowledgedAt
  const gaps = times.slice(1).map((at, i) => (at > struckAt ? at - times[i] : 0))
  const { broken, unavailable } = load
  t.diagnostic(`${what}; without service for ${(Math.max(...gaps) / 1000).toFixed(1)} s`)
  t.diagnostic(`so far ${times.length} writes acknowledged, ${unavailable} answered 503, ${broken} broken connections`)
}

/** Calls go to the phones of the test, under a name that the nodes' own sandboxes do not have; those take the texts. */
const configOf = (phones: Phones): string => `
${phones.peering('ringTimeoutS: 30, noResponseMs: 30000').replace(/\b(sandbox)/g, 'phones')}
sms: { price: "0.01" }
sandbox: { besideTrunks: true }
calls: { leaseS: ${LEASE_S} }
`

async function answered(to: string, phones: Phones): Promise<void> {
  const until = systemClock.monotonic() + CALL_WITHIN_MS
  for (let seen = phones.changes; !phones.calls(to)[0]?.answeredAt; seen = phones.changes) {
    assert.ok(systemClock.monotonic() < until, `${to} does not answer`)
    await phones.whenChanged(seen, 1000)
  }
}

/** How an acknowledged call ended: what is kept is what its phone lived through, and nobody was called twice. */
async function endOf({ to, pinId }: Deed, nodes: Nodes, phones: Phones): Promise<string> {
  const until = systemClock.monotonic() + CALL_WITHIN_MS
  for (;;) {
    const answer = await nodes.call('GET', `/pincall/1/pins/${pinId}/calls`)
    assert.equal(answer.status, 200, `the acknowledged PIN ${pinId} is gone: ${answer.text}`)
    const calls: { state: string; disposition: string }[] = JSON.parse(answer.text)
    assert.equal(calls.length, 1)
    const [{ state, disposition }] = calls
    if (state === 'closed') {
      await phones.settled(to, 10_000)
      const rang = phones.calls(to).length
      assert.ok(rang <= 1, `${to} was dialled ${rang} times`)
      if (disposition === 'heard') assert.equal(rang, 1, `${to} heard a code, and never rang`)
      return disposition
    }
    assert.ok(systemClock.monotonic() < until, `${to} has no final status`)
    await systemClock.wait(200)
  }
}

async function drained(store: Store): Promise<void> {
  const from = systemClock.monotonic()
  while (Object.values(await store.backlog()).some((open) => open > 0)) {
    assert.ok(systemClock.monotonic() - from < DRAINED_WITHIN_MS, 'every delivery ends')
    await systemClock.wait(200)
  }
}

type Row = { pin_id: string; checks: number; verified_at: string | null; deliveries: number }

/** Holds what clients were told against the rows of the new primary, read past Pincall. */
async function checkRows(t: TestContext, load: Load, url: string): Promise<void> {
  const rows = await read<Row>(
    url,
    `SELECT pin_id, checks, verified_at, (SELECT count(*)::int FROM deliveries d WHERE d.pin_id = p.pin_id) AS deliveries
       FROM pins p`,
  )
  const kept = new Map(rows.map((row) => [row.pin_id, row]))
  const acknowledged = load.deeds.filter((deed) => deed.pinId)
  for (const { pinId, to, verified, checksLeft, unknownChecks } of acknowledged) {
    const row = kept.get(pinId!)
    assert.ok(row, `the acknowledged PIN ${pinId} of ${to} is lost`)
    assert.equal(row.deliveries, 1, `${pinId} is sent ${row.deliveries} times`)
    if (verified) assert.ok(row.verified_at, `the acknowledged verification of ${pinId} is lost`)
    const told = (checksLeft === undefined ? 0 : 1) + (verified ? 1 : 0)
    assert.ok(
      row.checks >= told && row.checks <= told + unknownChecks,
      `${pinId}: ${row.checks} checks are kept, ${told} were told and ${unknownChecks} without an answer`,
    )
    if (checksLeft !== undefined)
      assert.equal(checksLeft, PIN_ATTEMPTS - 1, `${pinId}: a first check left ${checksLeft}`)
  }
  const unknown = load.deeds.length - acknowledged.length
  assert.ok(kept.size <= load.deeds.length, `${kept.size} PINs for ${load.deeds.length} requests: some were made twice`)
  const doubled = await read(url, 'SELECT to_hash, count(*) FROM pins GROUP BY to_hash HAVING count(*) > 1')
  assert.deepEqual(doubled, [], 'each number was asked for once and has one PIN')
  const [money] = await read<{ balance: string; ledger: string; charged: string; settled: string }>(
    url,
    `SELECT (SELECT sum(balance_micros) FROM accounts) AS balance, (SELECT sum(micros) FROM ledger) AS ledger,
            (SELECT sum(charged_micros) FROM deliveries) AS charged,
            (SELECT -sum(micros) FROM ledger WHERE kind = 'settle') AS settled`,
  )
  assert.equal(money.balance, money.ledger, 'the balance is the sum of the ledger')
  assert.equal(money.settled, money.charged, 'the ledger is what the deliveries cost')
  assert.notEqual(money.charged, '0')
  t.diagnostic(
    `${kept.size} PINs are kept: ${acknowledged.length} sends and ${load.deeds.filter((deed) => deed.verified).length} verifications were acknowledged, ${unknown} requests without an answer`,
  )
}

async function read<R extends object>(url: string, sql: string): Promise<R[]> {
  const [, head, hosts, tail] = /^(.*@)(.*)(\/.*)$/.exec(url)!
  for (const host of hosts.split(',')) {
    const client = new pg.Client({ connectionString: head + host + tail })
    await client.connect()
    try {
      const { rows } = await client.query('SELECT pg_is_in_recovery() AS standby')
      if (!rows[0].standby) return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }
  throw new Error('no host is the primary')
}
