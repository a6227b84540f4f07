import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { limit, SETTINGS, START, TEST_NUMBERS } from '../../../test/store/world.ts'
import { systemClock } from '../../clock.ts'
import { makeLog, silentLog } from '../../log.ts'
import { sql as firstTables } from '../migrations/sqlite/0001-first-tables.ts'
import { type Database, openDatabase } from './database.ts'
import { inspectSqlite } from './inspect.ts'
import { rewrite } from './migrate.ts'
import { openSqliteStore } from './open.ts'

const folder = mkdtempSync(join(tmpdir(), 'pincall-migration-'))
after(() => rmSync(folder, { recursive: true }))
const OPTIONS = { log: silentLog, clock: systemClock, numbers: TEST_NUMBERS }
const NUMBER = '41793026727'
const SWEPT = '41791111111'

/** A file as version 0.1.0 left it: two accounts, a PIN of each, counters, an Idempotency-Key, events, and a row swept away. */
function firstVersion(path: string): void {
  const database = new DatabaseSync(path)
  database.exec(`PRAGMA journal_mode = WAL; ${firstTables}`)
  database.exec('CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL) STRICT')
  database.exec("INSERT INTO schema_version VALUES (1, 'first-tables')")
  const settings = JSON.stringify(SETTINGS)
  for (const id of ['a', 'b']) {
    database.exec(`
      INSERT INTO accounts VALUES ('${id}', 'Acme', ${START}, 990, 10);
      INSERT INTO ledger (account_id, kind, micros, delivery_id, note, at) VALUES
        ('${id}', 'topup', 1000, NULL, 'card', ${START}), ('${id}', 'settle', -10, 'd1${id}', 'heard', ${START});
      INSERT INTO applications VALUES ('app-${id}', '${id}', 'p', 'sign-up', 1, '${settings}', ${START});
      INSERT INTO templates VALUES ('t-${id}', 'app-${id}', '${id}', '{"pinType":"NUMERIC","pinLength":4,"text":"{{pin}}","placeholder":"{{pin}}"}', ${START});
      INSERT INTO pins VALUES ('pin-${id}', '${id}', 'app-${id}', 't-${id}', 'k', '${NUMBER}', 'NUMERIC', 4, ${START},
        ${START + 900_000}, 3, 1, 1, NULL, 1, ${START + 5}, '{"firstName":"Ada"}');
      INSERT INTO deliveries (delivery_id, pin_id, account_id, channel, state, disposition, evidence, to_msisdn, created_at,
          closed_at, reserved_micros, charged_micros) VALUES
        ('d1${id}', 'pin-${id}', '${id}', 'voice', 'closed', 'heard', '{"sipStatus":200}', '${NUMBER}', ${START}, ${START}, 20, 10);
      INSERT INTO deliveries (delivery_id, pin_id, account_id, channel, to_msisdn, created_at, reserved_micros, sender) VALUES
        ('d2${id}', 'pin-${id}', '${id}', 'sms', '${NUMBER}', ${START}, 10, 'Acme');
      INSERT INTO attempts SELECT seq, 1, 'at-${id}', 'trunk', ${START}, ${START}, 'heard', '{}', 10 FROM deliveries WHERE delivery_id = 'd1${id}';
      INSERT INTO counters VALUES ('send-number:app-${id}:${NUMBER}', ${START}, ${START + 60_000}, 2),
        ('check:app-${id}:${NUMBER}', ${START}, ${START + 60_000}, 1), ('send:app-${id}', ${START}, ${START + 60_000}, 7);
      INSERT INTO idempotency VALUES ('${id}', 'key', 'f-${NUMBER}', 'pin-${id}', 'd1${id}', ${START});
      INSERT INTO counters VALUES ('send-number:app-${id}:${SWEPT}', ${START}, ${START}, 2)`)
  }
  for (const account of ['a', 'a', 'b', 'a']) {
    database.exec(`INSERT INTO events (account_id, kind, at, pin_id, delivery_id, data)
      VALUES ('${account}', 'delivery.closed', ${START}, 'pin-${account}', 'd1${account}', '{"disposition":"heard"}')`)
  }
  database.exec(`DELETE FROM counters WHERE key LIKE '%${SWEPT}'`)
  database.close()
}

function assertNowhere(path: string, numbers: string[]): void {
  for (const file of ['', '-wal'].map((suffix) => path + suffix).filter(existsSync)) {
    const bytes = readFileSync(file)
    for (const number of numbers) assert.equal(bytes.includes(number), false, `${number} stands in ${file}`)
  }
}

test('a database of the first version is brought up to date with all that is in it', async () => {
  const path = join(folder, 'first.db')
  firstVersion(path)
  assert.equal(inspectSqlite(path).version, 1)
  assert.equal(inspectSqlite(path).newestEventAt, START)
  assert.ok(readFileSync(path).includes(NUMBER), 'in clear, before')
  assert.ok(readFileSync(path).includes(SWEPT), 'in clear, in a free part of a page')
  const store = await openSqliteStore({ path, ...OPTIONS })
  assertNowhere(path, [NUMBER, SWEPT])

  for (const id of ['a', 'b']) {
    const { pin } = (await store.loadPin(id, `pin-${id}`))!
    assert.deepEqual(pin, {
      pinId: `pin-${id}`,
      accountId: id,
      applicationId: `app-${id}`,
      templateId: `t-${id}`,
      codeKeyId: 'k',
      to: NUMBER,
      pinType: 'NUMERIC',
      pinLength: 4,
      createdAt: START,
      expiresAt: START + 900_000,
      maxChecks: 3,
      checks: 1,
      allowMultiple: true,
      resends: 1,
      lastResendAt: START + 5,
      placeholders: { firstName: 'Ada' },
    })
    const [first, second] = await store.deliveriesOf(id, pin.pinId)
    assert.equal(first?.to, NUMBER)
    assert.equal(first?.chargedMicros, 10)
    assert.deepEqual(first?.evidence, { sipStatus: 200 })
    assert.equal(second?.state, 'owed')
    assert.equal((await store.attemptsOf(`d1${id}`))[0]?.attemptId, `at-${id}`)
    const found = await store.verifications({ accountId: id, applicationId: `app-${id}`, to: NUMBER })
    assert.deepEqual(found, [{ to: NUMBER, verified: false, sentAt: START }])
  }
  assert.equal(await store.ledgerDrift(), 0)

  // the windows that were running run on
  const counted = [limit('l', 'check:app-a', 2, 60_000, NUMBER)]
  const check = { accountId: 'a', pinId: 'pin-a', matches: false, counted, now: START + 1 }
  assert.equal((await store.countCheck(check)).kind, 'wrong')
  assert.equal((await store.countCheck(check)).kind, 'limited')
  // an Idempotency-Key of before is known
  const resend = { accountId: 'a', pinId: 'pin-a', coolDownMs: 0, maxResends: 9, counted: [], now: START + 1 }
  const delivery = { deliveryId: 'd3', channel: 'voice' as const, reserveMicros: 0 }
  const again = (fingerprint: string) =>
    store.admitResend({ ...resend, delivery, idempotency: { key: 'key', fingerprint } })
  assert.deepEqual(await again(`f-${NUMBER}`), { kind: 'repeated', deliveryId: 'd1a', pinId: 'pin-a' })
  assert.equal((await again('another')).kind, 'mismatch')
  await store.close()
  assert.deepEqual(inspectSqlite(path), { version: 2, damage: 'ok', newestEventAt: START })
  assertNowhere(path, [NUMBER, SWEPT])
})

test('a reader whose cursor is of before the migration misses nothing after it', async () => {
  const path = join(folder, 'cursors.db')
  firstVersion(path)
  const store = await openSqliteStore({ path, ...OPTIONS })
  assert.deepEqual(
    (await store.eventsAfter('a', 0, 10)).map(({ seq }) => seq),
    [1, 2, 4],
    'what was written keeps its number',
  )
  for (const id of ['a', 'b']) {
    assert.equal(await store.lastSeq(id), 4, 'cursors were numbers of all accounts together')
    await store.countCheck({ accountId: id, pinId: `pin-${id}`, matches: true, counted: [], now: START })
    assert.deepEqual(
      (await store.eventsAfter(id, 4, 10)).map(({ seq, kind }) => [seq, kind]),
      [[5, 'pin.verified']],
    )
  }
  await store.close()
  assert.equal(inspectSqlite(path).newestEventAt, START)
})

test('a reader that is in the way of the clean-up only delays it', async () => {
  const path = join(folder, 'reader.db')
  firstVersion(path)
  const reader = new DatabaseSync(path, { readOnly: true })
  reader.exec('BEGIN')
  reader.prepare('SELECT * FROM accounts').all()
  const store = await openSqliteStore({ path, ...OPTIONS })
  assert.equal((await store.loadPin('a', 'pin-a'))?.pin.to, NUMBER)
  reader.exec('COMMIT')
  reader.close()
  await store.close()
  assertNowhere(path, [NUMBER, SWEPT])
})

test('without room to write the file anew the store opens, says so, and cleans up at the next start', () => {
  const path = join(folder, 'no-room.db')
  const database = openDatabase({ path, ...OPTIONS })
  database.exec(`PRAGMA secure_delete = OFF; CREATE TABLE traces (x); INSERT INTO traces VALUES ('${NUMBER}');
    DROP TABLE traces; PRAGMA user_version = 1; PRAGMA wal_checkpoint(TRUNCATE)`)
  const warned: string[] = []
  const log = makeLog({ destination: { write: (line) => warned.push(JSON.parse(line).msg) } })
  const full: Database = {
    ...database,
    exec(sql) {
      if (sql.includes('VACUUM')) throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
      database.exec(sql)
    },
  }
  rewrite(full, { path, log })
  assert.match(warned.join(), /still hold numbers in clear/)
  assert.ok(readFileSync(path).includes(NUMBER))
  database.close()
  openDatabase({ path, ...OPTIONS }).close()
  assertNowhere(path, [NUMBER])
  assert.equal(warned.length, 1)
})
