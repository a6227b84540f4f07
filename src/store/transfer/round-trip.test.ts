import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { DAY, limit, MINUTE, START } from '../../../test/store/world.ts'
import {
  CODES,
  type Filled,
  fillInstallation,
  NUMBERS,
  OLD_NUMBERS,
  PHONE,
  UNICODE,
} from '../../../test/testbed/full-installation.ts'
import { type TestDatabases, testDatabases } from '../../../test/testbed/postgres.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import { codeOf, guessMatches } from '../../verification/code.ts'
import { openStore } from '../open.ts'
import type { Store } from '../types.ts'
import { exportStore, importStore, type Place } from './index.ts'
import { TABLES } from './tables.ts'

const common = { numbers: NUMBERS, clock: systemClock, log: silentLog }
const folder = mkdtempSync(join(tmpdir(), 'pincall-round-trip-'))
let databases: TestDatabases
let made = 0
const freshSqlite = (): Place => ({ dataDir: mkdtempSync(join(folder, `${++made}-`)) })
const freshPostgres = async (): Promise<Place> => ({ ...freshSqlite(), databaseUrl: await databases.freshDatabase() })
/** A database that sorts as people do: `a` before `B`. */
async function freshSorting(): Promise<Place> {
  const name = `pincall_sorting_${process.pid}`
  await databases.query(`CREATE DATABASE ${name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'`)
  return { ...freshSqlite(), databaseUrl: Object.assign(new URL(databases.url), { pathname: `/${name}` }).href }
}
const file = (name: string) => join(folder, `${++made}-${name}`)

before(async () => {
  databases = await testDatabases()
})
after(async () => {
  await databases[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

async function withStore<T>(place: Place, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({ ...common, ...place })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

/** An installation of before a change of its master key, and of after. */
async function filled(place: Place): Promise<Filled> {
  await withStore(place, async (store) => store.rememberOnce('installed', UNICODE))
  const old = await openStore({ ...common, ...place, numbers: OLD_NUMBERS })
  await fillInstallation(old)
  await old.close()
  return withStore(place, fillInstallation)
}

/** Rows of the file by table. */
function rowsOf(text: string): Map<string, Record<string, unknown>[]> {
  const rows = new Map<string, Record<string, unknown>[]>(TABLES.map(({ name }) => [name, []]))
  for (const line of text.trimEnd().split('\n').slice(1, -1)) {
    const [name, row] = JSON.parse(line)
    rows.get(name)!.push(row)
  }
  return rows
}

/** Everything that a client, a reader of events or a running call would notice, had something been left behind. */
async function goesOn(store: Store, { one, two, open, told, owed, claimed, sliding, idempotency }: Filled) {
  const now = START + MINUTE
  assert.equal(await store.ledgerDrift(), 0)
  // the code that was sent is the code that verifies
  const { pin } = (await store.loadPin(one.accountId, open.pinId))!
  assert.equal(pin.to, PHONE)
  assert.deepEqual(pin.placeholders, { name: UNICODE })
  const guess = codeOf(CODES, { pinId: open.pinId, codeKeyId: 'k2', pinType: 'NUMERIC', pinLength: 4 })
  const seqBefore = await store.lastSeq(one.accountId)
  const check = {
    accountId: one.accountId,
    pinId: pin.pinId,
    matches: guessMatches(CODES, pin, guess),
    counted: [],
    now,
  }
  assert.deepEqual(await store.countCheck(check), { kind: 'right', first: true, to: PHONE })
  // event numbers go on without a gap
  const [event] = await store.eventsAfter(one.accountId, seqBefore, 10)
  assert.equal(event.seq, seqBefore + 1)
  assert.equal(event.kind, 'pin.verified')
  // requests that are repeated, limits, sessions
  const again = one.on(store, 'node-new')
  const repeated = await store.admitSend(again.sendOf({ idempotency, now }))
  assert.deepEqual(repeated, { kind: 'repeated', pinId: open.pinId, deliveryId: open.deliveryId })
  const other = { ...idempotency, fingerprint: 'something else' }
  assert.equal((await store.admitSend(again.sendOf({ idempotency: other, now }))).kind, 'mismatch')
  const counted = [limit('sendPinPerPhoneNumberLimit', `send-number:${one.applicationId}`, 1, DAY, PHONE)]
  assert.equal((await store.admitSend(again.sendOf({ counted, now }))).kind, 'limited')
  assert.equal((await store.useSession(sliding.tokenHash, now))?.accountId, one.accountId)
  // calls in progress end as they do; what waits is carried out
  const [attempt] = await store.attemptsOf(open.deliveryId)
  assert.equal(
    await one.on(store, one.nodeId).close(open.deliveryId, { attemptId: attempt.attemptId, chargeMicros: 5, now }),
    true,
  )
  const late = await store.recover({ nodeId: 'node-new', all: true, now: now + DAY })
  const ended = late.abandoned.map(({ deliveryId, disposition }) => [deliveryId, disposition])
  assert.deepEqual(
    ended.filter(([deliveryId]) => deliveryId === told.deliveryId),
    [[told.deliveryId, 'heard']],
  )
  const jobs = (await two.on(store, 'node-new').claim({ now })).map(({ delivery }) => delivery.deliveryId)
  for (const { deliveryId } of [owed, claimed]) assert.ok(jobs.includes(deliveryId))
  // what is counted up goes on
  await store.topUp(two.accountId, 10_000, 'after the move', now)
  const next = await again.send({ now, pin: { codeKeyId: 'k2' } })
  assert.equal((await store.findDelivery(one.accountId, next.deliveryId))?.state, 'owed')
  assert.equal(await store.ledgerDrift(), 0)
}

/** Numbers that an engine counts up must stay unique, behind those that came with the import. */
function assertCounted(before: Map<string, Record<string, unknown>[]>, later: Map<string, Record<string, unknown>[]>) {
  for (const name of ['ledger', 'deliveries']) {
    const [old, all] = [before, later].map((rows) => rows.get(name)!.map(({ seq }) => Number(seq)))
    assert.equal(new Set(all).size, all.length)
    assert.ok(all.length > old.length)
    const added = all.filter((seq) => !old.includes(seq))
    assert.ok(Math.min(...added) > Math.max(...old), `${name}: ${added} behind ${Math.max(...old)}`)
  }
}

test('an installation moves to PostgreSQL and back with every row, and goes on wherever it is', async () => {
  const [first, second, third] = [freshSqlite(), await freshSorting(), freshSqlite()]
  const what = await filled(first)
  const [there, back, last] = [file('there.jsonl'), file('back.jsonl.gz'), file('last.jsonl')]
  const left = await exportStore(first, there, START)
  assert.deepEqual(left.unbalanced, [])
  assert.equal(statSync(there).mode & 0o777, 0o600)
  const arrived = await importStore({ ...common, ...second }, there)
  assert.deepEqual(arrived, left.totals)
  const returned = await exportStore(second, back, START)
  assert.deepEqual(returned.totals, left.totals)
  await importStore({ ...common, ...third }, back)
  assert.deepEqual((await exportStore(third, last, START)).totals, left.totals)

  const text = readFileSync(there, 'utf8')
  assert.equal(readFileSync(last, 'utf8'), text, 'the same text, but for who wrote it when')
  const withoutHeader = (lines: string) => lines.trimEnd().split('\n').slice(1, -1)
  assert.deepEqual(withoutHeader(gunzipSync(readFileSync(back)).toString()), withoutHeader(text))

  const before = rowsOf(text)
  for (const place of [second, third]) {
    await withStore(place, (store) => goesOn(store, what))
    const later = file('later.jsonl')
    await exportStore(place, later, START)
    assertCounted(before, rowsOf(readFileSync(later, 'utf8')))
  }
})

test('the file tells nobody a number, and holds every column both filled and, where that may be, empty', async () => {
  const place = freshSqlite()
  await filled(place)
  const path = file('seen.jsonl')
  await exportStore(place, path, START)
  const text = readFileSync(path, 'utf8')
  for (const secret of [PHONE, '41791112233', 'what was asked']) assert.ok(!text.includes(secret))
  const rows = rowsOf(text)
  for (const { name, columns } of TABLES) {
    for (const [column, type] of Object.entries(columns)) {
      const values = rows.get(name)!.map((row) => row[column])
      assert.ok(
        values.some((value) => value !== null),
        `${name}.${column} is never filled: the round trip proves nothing for it`,
      )
      assert.equal(values.includes(null), type.endsWith('?'), `${name}.${column} empty`)
    }
  }
})

test('an export is of one moment: what is written while it streams is not in it, not even half', async () => {
  for (const place of [freshSqlite(), await freshPostgres()]) {
    await withStore(place, async (store) => {
      const { one, two } = await fillInstallation(store)
      let text = ''
      const slow = new Writable({
        highWaterMark: 1,
        write(chunk, _encoding, written) {
          text += chunk
          const sends = [one, two].map((world) => world.send({ pin: { codeKeyId: 'k2' } }))
          Promise.all(sends).then(() => written(), written)
        },
      })
      const { totals, unbalanced } = await exportStore(place, slow, START)
      assert.deepEqual(unbalanced, [], 'reserves of the moment are those of the deliveries of the moment')
      assert.equal(totals.tables.pins.rows, 6)
      assert.equal(rowsOf(text).get('deliveries')!.length, totals.tables.deliveries.rows)
      await importStore({ ...common, ...freshSqlite() }, Readable.from([Buffer.from(text)]))
    })
  }
})
