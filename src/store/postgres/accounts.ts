import { notFound } from '../../errors.ts'
import type { Micros } from '../../money.ts'
import type { Random } from '../../random.ts'
import type { Account } from '../types.ts'
import type { Database } from './database.ts'

const UNIQUE_VIOLATION = '23505'

/** Accounts and their money outside of deliveries. The ledger is append-only; every change of a balance has its row in it. */
export function makeAccounts(database: Database, random: Pick<Random, 'hex'>) {
  const ensure = {
    name: 'ensure account',
    text: `
      WITH made AS (
        INSERT INTO accounts (account_id, name, created_at, balance_micros) VALUES ($1, $2, $3, $4)
        ON CONFLICT (account_id) DO NOTHING RETURNING account_id, balance_micros, created_at)
      INSERT INTO ledger (account_id, kind, micros, note, at)
      SELECT account_id, 'topup', balance_micros, 'opening balance', created_at FROM made WHERE balance_micros <> 0`,
  }
  const list = {
    name: 'list accounts',
    text: 'SELECT account_id, name, created_at FROM accounts ORDER BY created_at, account_id',
  }
  const topUp = {
    name: 'top up',
    text: `
      WITH paid AS (
        UPDATE accounts SET balance_micros = balance_micros + $2 WHERE account_id = $1 RETURNING account_id)
      INSERT INTO ledger (account_id, kind, micros, note, at, entry_id)
      SELECT account_id, 'topup', $2, $3::text, $4::bigint, $5::text FROM paid RETURNING 1`,
  }
  const entry = { name: 'ledger entry', text: 'SELECT 1 FROM ledger WHERE entry_id = $1' }
  const balance = {
    name: 'balance',
    text: 'SELECT balance_micros, reserved_micros FROM accounts WHERE account_id = $1',
  }
  const drift = {
    name: 'drift',
    text: `
      SELECT (
        (SELECT coalesce(sum(abs(a.balance_micros - coalesce(l.micros, 0))), 0) FROM accounts a LEFT JOIN
          (SELECT account_id, sum(micros) AS micros FROM ledger GROUP BY account_id) l USING (account_id)) +
        (SELECT coalesce(sum(abs(a.reserved_micros - coalesce(d.micros, 0))), 0) FROM accounts a LEFT JOIN
          (SELECT account_id, sum(reserved_micros - charged_micros) AS micros FROM deliveries
            WHERE closed_at IS NULL GROUP BY account_id) d USING (account_id)))::bigint AS micros`,
  }

  return {
    async ensure({ accountId, name, createdAt }: Account, balanceMicros: Micros): Promise<void> {
      await database.query(ensure, [accountId, name, createdAt, balanceMicros])
    },

    async list(): Promise<Account[]> {
      const rows = await database.query<{ account_id: string; name: string; created_at: number }>(list, [])
      return rows.map((row) => ({ accountId: row.account_id, name: row.name, createdAt: row.created_at }))
    },

    /** The entry has an id of its own, by which a top-up whose answer was lost is found. */
    async topUp(accountId: string, micros: Micros, note: string, now: number): Promise<void> {
      const entryId = `topup:${random.hex(16)}`
      await database.write(async (again) => {
        if (again && (await database.once(entry, [entryId])).length > 0) return
        try {
          const paid = await database.once(topUp, [accountId, micros, note, now, entryId])
          if (paid.length === 0) throw notFound('The account')
        } catch (error) {
          if (!again || (error as { code?: string }).code !== UNIQUE_VIOLATION) throw error // else it was committed meanwhile
        }
      })
    },

    async balance(accountId: string): Promise<{ balanceMicros: Micros; reservedMicros: Micros }> {
      type Row = { balance_micros: number; reserved_micros: number }
      const [row] = await database.query<Row>(balance, [accountId])
      if (!row) throw notFound('The account')
      return { balanceMicros: row.balance_micros, reservedMicros: row.reserved_micros }
    },

    /** Balances against the ledger, and reserves against the deliveries that hold them. */
    async drift(): Promise<Micros> {
      const [{ micros }] = await database.query<{ micros: number }>(drift, [])
      return micros
    },
  }
}
