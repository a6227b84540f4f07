import pg from 'pg'
import type { Party } from './work.ts'

/**
 * Fills the tables as they are after `rows` sends of the last thirty days, each delivered by SMS, paid for, and verified by a
 * wrong and a right guess; counters are those of the last day. Rows have their true lengths, and keys that are random are
 * random here. Indices are made after the rows: quicker, and denser than years of use would leave them.
 */
export async function fill(url: string, parties: readonly Party[], rows: number): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET jit = off")
    await client.query('CREATE TEMP TABLE parties (n int PRIMARY KEY, account text, application text, template text)')
    for (const [n, { application, templateId }] of parties.entries()) {
      const { accountId, applicationId } = application
      await client.query('INSERT INTO parties VALUES ($1, $2, $3, $4)', [n, accountId, applicationId, templateId])
    }
    const indices = await takeIndices(client)
    for (const text of insertions(rows, parties.length)) await client.query(text)
    for (const text of indices) await client.query(text)
    await client.query("SELECT setval(pg_get_serial_sequence('deliveries', 'seq'), $1)", [rows + 1])
  } finally {
    await client.end()
  }
}

const TABLES = "('pins', 'deliveries', 'attempts', 'events', 'counters')"

/** Drops the indices of the tables that grow; how to make them again. */
async function takeIndices(client: pg.Client): Promise<string[]> {
  const { rows: keys } = await client.query(`
    SELECT conrelid::regclass AS of, conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint
    WHERE contype IN ('p', 'u') AND conrelid::regclass::text IN ${TABLES}`)
  for (const { of, name } of keys) await client.query(`ALTER TABLE ${of} DROP CONSTRAINT ${name}`)
  const { rows: others } = await client.query(
    `SELECT indexname AS name, indexdef AS definition FROM pg_indexes WHERE schemaname = 'public' AND tablename IN ${TABLES}`,
  )
  for (const { name } of others) await client.query(`DROP INDEX ${name}`)
  return [
    ...keys.map(({ of, name, definition }) => `ALTER TABLE ${of} ADD CONSTRAINT ${name} ${definition}`),
    ...others.map(({ definition }) => definition),
  ]
}

const THIRTY_DAYS_MS = 30 * 86_400_000

function insertions(rows: number, parties: number): string[] {
  const now = Date.now()
  const first = now - THIRTY_DAYS_MS
  const made = `(${first} + (i::bigint * ${THIRTY_DAYS_MS}) / ${rows})`
  const id = (salt: string) => `upper(md5('${salt}' || i))`
  const pinId = `(upper(lpad(to_hex(${made}), 12, '0')) || left(${id('pin')}, 20))`
  const deliveryId = `(upper(lpad(to_hex(${made} + 1), 12, '0')) || left(${id('delivery')}, 20))`
  const hash = (salt: string) => `left(translate(encode(decode(md5('${salt}' || i), 'hex'), 'base64'), '+/', '-_'), 22)`
  const sealed = `'k1.' || left(translate(encode(decode(md5('a' || i) || md5('b' || i), 'hex'), 'base64') || md5('c' || i), '+/=', '-_0'), 55)`
  const each = `FROM generate_series(1, ${rows}) AS i JOIN parties p ON p.n = i % ${parties}`
  const evidence = `'{"trunk":"sandbox","messageId":"' || md5('m' || i) || '"}'`
  const data = `'{"disposition":"sms_sent","channel":"sms","to":"' || left(md5('t' || i), 12) || '"}'`
  return [
    `INSERT INTO pins (pin_id, account_id, application_id, template_id, code_key_id, to_sealed, to_hash, pin_type, pin_length,
        created_at, expires_at, max_checks, checks, allow_multiple, verified_at)
      SELECT ${pinId}, account, application, template, 'k1', ${sealed}, ${hash('h')}, 'NUMERIC', 6,
        ${made}, ${made} + 3600000, 10, 2, 1, ${made} + 20000 ${each}`,
    `INSERT INTO deliveries (seq, delivery_id, pin_id, account_id, channel, state, disposition, evidence, created_at, closed_at,
        reserved_micros, charged_micros)
      SELECT i, ${deliveryId}, ${pinId}, account, 'sms', 'closed', 'sms_sent', ${evidence}, ${made}, ${made} + 200, 100, 100 ${each}`,
    `INSERT INTO attempts (delivery_seq, attempt_no, attempt_id, trunk, started_at, ended_at, disposition, evidence, charged_micros)
      SELECT i, 1, ${id('attempt')}, 'sandbox', ${made}, ${made} + 200, 'sms_sent', ${evidence}, 100 ${each}`,
    `INSERT INTO events (account_id, seq, kind, at, pin_id, delivery_id, data)
      SELECT account, 2 * (i / ${parties}) + 1, 'delivery.closed', ${made} + 200, ${pinId}, ${deliveryId}, ${data} ${each}
      UNION ALL
      SELECT account, 2 * (i / ${parties}) + 2, 'pin.verified', ${made} + 20000, ${pinId}, NULL, '{}' ${each}`,
    `INSERT INTO event_heads (account_id, seq) SELECT account_id, max(seq) FROM events GROUP BY account_id`,
    `INSERT INTO counters (key, started_at, ends_at, count)
      SELECT what || ':' || application || ':' || ${hash('n')}, ${now}, ${now + 86_400_000}, 1
      FROM generate_series(1, ${Math.ceil(rows / 30)}) AS i JOIN parties p ON p.n = i % ${parties},
        unnest(ARRAY['send-number', 'check']) AS what`,
  ]
}
