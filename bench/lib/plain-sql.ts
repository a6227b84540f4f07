import pg from 'pg'
import type { AdmitSend, CountCheck, Counted, Numbers } from '../../src/store/index.ts'
import type { Subject } from './work.ts'

/**
 * What the PostgreSQL store is compared with: the same rows into the same tables through `pg` in the two usual ways, with no
 * batches. Both count both limits, take the reserve from the account's row and are durable; neither knows idempotency, nor
 * what to do when a commit's answer is lost. Ten connections, `pg`'s usual number and ours.
 */
type Plain = Subject & { close(): Promise<void> }

const CONNECTIONS = 10

function openPool(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS })
  pool.on('error', () => {}) // an idle connection that the server ends with itself
  return pool
}

const PIN = `pin_id, account_id, application_id, template_id, code_key_id, to_sealed, to_hash, pin_type, pin_length,
  created_at, expires_at, max_checks, allow_multiple`
const DELIVERY = 'delivery_id, pin_id, account_id, channel, created_at, reserved_micros'
const raised = (key: number, ms: number, most: number, now: number) => `
  INSERT INTO counters AS c (key, started_at, ends_at, count) VALUES ($${key}, $${now}::bigint, $${now}::bigint + $${ms}::bigint, 1)
  ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN c.ends_at > $${now}::bigint THEN c.count + 1 ELSE 1 END,
    started_at = CASE WHEN c.ends_at > $${now}::bigint THEN c.started_at ELSE EXCLUDED.started_at END,
    ends_at = CASE WHEN c.ends_at > $${now}::bigint THEN c.ends_at ELSE EXCLUDED.ends_at END
  WHERE c.ends_at <= $${now}::bigint OR c.count < $${most}::bigint RETURNING 1`

/**
 * One statement a send, one a check. Its known fault, which ours has not: where the balance does not suffice, the counters
 * are raised all the same.
 */
export function openSingleStatements(url: string, numbers: Numbers): Plain {
  const pool = openPool(url)
  const send = {
    name: 'plain send',
    text: `
      WITH application AS (${raised(20, 21, 22, 10)}), number AS (${raised(23, 24, 25, 10)}),
      reserve AS (
        UPDATE accounts SET reserved_micros = reserved_micros + $19::bigint
        WHERE account_id = $2 AND balance_micros - reserved_micros >= $19::bigint
          AND EXISTS (SELECT FROM application) AND EXISTS (SELECT FROM number) RETURNING 1),
      pin AS (
        INSERT INTO pins (${PIN})
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9::int, $10::bigint, $11::bigint, $12::int, $13::smallint FROM reserve RETURNING 1)
      INSERT INTO deliveries (${DELIVERY})
      SELECT $14, $15, $16, $17, $18::bigint, $19::bigint FROM pin RETURNING 1`,
  }
  const check = {
    name: 'plain check',
    text: `
      WITH counter AS (${raised(1, 2, 3, 4)}),
      pin AS (
        UPDATE pins SET checks = checks + 1, verified_at = CASE WHEN $5::boolean THEN $4::bigint END
        WHERE pin_id = $6 AND account_id = $7 AND expires_at > $4::bigint AND checks < max_checks AND verified_at IS NULL
          AND EXISTS (SELECT FROM counter) RETURNING to_sealed, max_checks - checks AS checks_left),
      head AS (
        INSERT INTO event_heads AS h (account_id, seq) SELECT $7, 1 FROM pin WHERE $5::boolean
        ON CONFLICT (account_id) DO UPDATE SET seq = h.seq + 1 RETURNING seq),
      event AS (
        INSERT INTO events (account_id, seq, kind, at, pin_id, data)
        SELECT $7, seq, 'pin.verified', $4::bigint, $6, '{}' FROM head)
      SELECT to_sealed, checks_left FROM pin`,
  }
  return {
    clock: Date,
    async admitSend(asked) {
      const { rowCount } = await pool.query({ ...send, values: valuesOf(asked, numbers) })
      return rowCount === 1 ? owed(asked) : { kind: 'no_credit' }
    },
    async countCheck(asked) {
      const { accountId, pinId, matches, counted, now } = asked
      const { key, windowMs, count } = counterOf(counted[0], numbers)
      const values = [key, windowMs, count, now, matches, pinId, accountId]
      const { rows } = await pool.query({ ...check, values })
      return resultOf(rows[0], asked, numbers)
    },
    close: () => pool.end(),
  }
}

/** BEGIN, a statement for each table, COMMIT: what an ORM sends. A refusal would roll back. */
export function openPlainTransactions(url: string, numbers: Numbers): Plain {
  const pool = openPool(url)
  const places = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => `$${from + i}`).join(', ')
  const raise = { name: 'raise', text: raised(1, 2, 3, 4) }
  const reserve = {
    name: 'reserve',
    text: `UPDATE accounts SET reserved_micros = reserved_micros + $1::bigint
      WHERE account_id = $2 AND balance_micros - reserved_micros >= $1::bigint`,
  }
  const insertPin = { name: 'pin', text: `INSERT INTO pins (${PIN}) VALUES (${places(1, 13)})` }
  const insertDelivery = { name: 'delivery', text: `INSERT INTO deliveries (${DELIVERY}) VALUES (${places(1, 6)})` }
  const find = {
    name: 'find',
    text: 'SELECT to_sealed, max_checks, checks, expires_at, verified_at FROM pins WHERE pin_id = $1 AND account_id = $2 FOR UPDATE',
  }
  const count = { name: 'count', text: 'UPDATE pins SET checks = checks + 1, verified_at = $2 WHERE pin_id = $1' }
  const head = {
    name: 'head',
    text: 'INSERT INTO event_heads AS h (account_id, seq) VALUES ($1, 1) ON CONFLICT (account_id) DO UPDATE SET seq = h.seq + 1 RETURNING seq',
  }
  const event = {
    name: 'event',
    text: "INSERT INTO events (account_id, seq, kind, at, pin_id, data) VALUES ($1, $2, 'pin.verified', $3, $4, '{}')",
  }

  async function transaction<T>(run: (ask: pg.PoolClient['query']) => Promise<T>): Promise<T> {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      const answer = await run(client.query.bind(client) as pg.PoolClient['query'])
      await client.query('COMMIT')
      return answer
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
  }
  const must = ({ rowCount }: { rowCount: number | null }) => {
    if (rowCount !== 1) throw new Error('refused: this must not happen in a benchmark')
  }

  return {
    clock: Date,
    admitSend: (asked) =>
      transaction(async (ask) => {
        const values = valuesOf(asked, numbers)
        must(await ask({ ...raise, values: [...values.slice(19, 22), asked.now] }))
        must(await ask({ ...raise, values: [...values.slice(22, 25), asked.now] }))
        must(await ask({ ...reserve, values: [asked.delivery.reserveMicros, asked.pin.accountId] }))
        must(await ask({ ...insertPin, values: values.slice(0, 13) }))
        must(await ask({ ...insertDelivery, values: values.slice(13, 19) }))
        return owed(asked)
      }),
    countCheck: (asked) =>
      transaction(async (ask) => {
        const { accountId, pinId, matches, counted, now } = asked
        const { rows } = await ask({ ...find, values: [pinId, accountId] })
        const { key, windowMs, count: most } = counterOf(counted[0], numbers)
        must(await ask({ ...raise, values: [key, windowMs, most, now] }))
        must(await ask({ ...count, values: [pinId, matches ? now : null] }))
        if (matches) {
          const [{ seq }] = (await ask({ ...head, values: [accountId] })).rows
          must(await ask({ ...event, values: [accountId, seq, now, pinId] }))
        }
        return resultOf({ ...rows[0], checks_left: rows[0].max_checks - rows[0].checks - 1 }, asked, numbers)
      }),
    close: () => pool.end(),
  }
}

const counterOf = ({ key, number, windowMs, count }: Counted, numbers: Numbers) => ({
  key: number === undefined ? key : `${key}:${numbers.hash(number)}`,
  windowMs,
  count,
})

/** 13 of the PIN, 6 of the delivery, 3 of each counter. */
function valuesOf({ pin, delivery, counted }: AdmitSend, numbers: Numbers): unknown[] {
  const { pinId, accountId, applicationId, templateId, codeKeyId, to, pinType, pinLength, createdAt } = pin
  const counters = counted.map((each) => counterOf(each, numbers))
  return [
    ...[pinId, accountId, applicationId, templateId, codeKeyId, numbers.seal(to, pinId), numbers.hash(to)],
    ...[pinType, pinLength, createdAt, pin.expiresAt, pin.maxChecks, pin.allowMultiple ? 1 : 0],
    ...[delivery.deliveryId, pinId, accountId, delivery.channel, createdAt, delivery.reserveMicros],
    ...counters.flatMap(({ key, windowMs, count }) => [key, windowMs, count]),
  ]
}

const owed = ({ pin, delivery }: AdmitSend) => ({
  kind: 'owed' as const,
  deliveryId: delivery.deliveryId,
  pinId: pin.pinId,
})

function resultOf(row: { to_sealed: string; checks_left: number }, { pinId, matches }: CountCheck, numbers: Numbers) {
  const to = numbers.open(row.to_sealed, pinId)
  return matches
    ? { kind: 'right' as const, first: true, to }
    : { kind: 'wrong' as const, checksLeft: row.checks_left, to }
}
