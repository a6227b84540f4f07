import { notFound } from '../../errors.ts'
import type { Micros } from '../../money.ts'
import type { Account } from '../types.ts'
import type { Database } from './database.ts'

/** Accounts and their money outside of deliveries. The ledger is append-only; every change of a balance has its row in it. */
export function prepareAccounts(database: Database) {
  const insert = database.prepare(`
    INSERT INTO accounts (account_id, name, created_at, balance_micros) VALUES (?, ?, ?, ?)
    ON CONFLICT (account_id) DO NOTHING`)
  const topUp = database.prepare('UPDATE accounts SET balance_micros = balance_micros + ? WHERE account_id = ?')
  const insertLedger = database.prepare(`
    INSERT INTO ledger (account_id, kind, micros, note, at, entry_id)
    VALUES (?, 'topup', ?, ?, ?, 'topup:' || lower(hex(randomblob(16))))`)
  const list = database.prepare<{ account_id: string; name: string; created_at: number }>(
    'SELECT account_id, name, created_at FROM accounts ORDER BY created_at, account_id',
  )
  const balance = database.prepare<{ balance_micros: number; reserved_micros: number }>(
    'SELECT balance_micros, reserved_micros FROM accounts WHERE account_id = ?',
  )
  const drift = database.prepare<{ unbooked: number; unreserved: number }>(`
    SELECT
      (SELECT coalesce(sum(abs(a.balance_micros - coalesce(l.micros, 0))), 0) FROM accounts a LEFT JOIN
        (SELECT account_id, sum(micros) AS micros FROM ledger GROUP BY account_id) l USING (account_id)) AS unbooked,
      (SELECT coalesce(sum(abs(a.reserved_micros - coalesce(d.micros, 0))), 0) FROM accounts a LEFT JOIN
        (SELECT account_id, sum(reserved_micros - charged_micros) AS micros FROM deliveries
          WHERE closed_at IS NULL GROUP BY account_id) d USING (account_id)) AS unreserved`)

  return {
    list: (): Account[] =>
      list.all().map((row) => ({ accountId: row.account_id, name: row.name, createdAt: row.created_at })),

    ensure({ accountId, name, createdAt }: Account, balanceMicros: Micros): void {
      const made = insert.run(accountId, name, createdAt, balanceMicros) === 1
      if (made && balanceMicros !== 0) insertLedger.run(accountId, balanceMicros, 'opening balance', createdAt)
    },

    topUp(accountId: string, micros: Micros, note: string, now: number): void {
      if (topUp.run(micros, accountId) !== 1) throw notFound('The account')
      insertLedger.run(accountId, micros, note, now)
    },

    balance(accountId: string): { balanceMicros: Micros; reservedMicros: Micros } {
      const row = balance.get(accountId)
      if (!row) throw notFound('The account')
      return { balanceMicros: row.balance_micros, reservedMicros: row.reserved_micros }
    },

    /** Balances against the ledger, and reserves against the deliveries that hold them. */
    drift(): Micros {
      const found = drift.get()
      return (found?.unbooked ?? 0) + (found?.unreserved ?? 0)
    },
  }
}
