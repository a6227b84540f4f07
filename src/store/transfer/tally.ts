import { createHash, type Hash } from 'node:crypto'
import type { Micros } from '../../money.ts'
import { type Row, TABLES, type Table } from './tables.ts'

/** An account's money as told four times over: two of them stand in its row, two are sums of other rows. */
export type Money = {
  balanceMicros: Micros
  /** Sum of the ledger: equals the balance. */
  ledgerMicros: Micros
  reservedMicros: Micros
  /** What open deliveries hold: equals what is reserved. */
  heldMicros: Micros
}

/** What is in an installation, so that two of them can be compared. */
export type Totals = {
  tables: Record<string, { rows: number; sha256: string }>
  money: Record<string, Money>
}

/** A row as it stands in a file, and as its checksum sees it. */
export const lineOf = (table: Table, row: Row): string => `${JSON.stringify([table.name, row])}\n`

export type Tally = { add(table: Table, row: Row, line: string): void; totals(): Totals }

/** Counts, hashes and sums rows as they pass by, table after table, each in the order of its primary key. */
export function makeTally(): Tally {
  const hashes = new Map<string, { rows: number; hash: Hash }>(
    TABLES.map(({ name }) => [name, { rows: 0, hash: createHash('sha256') }]),
  )
  const money = new Map<string, Money>()
  return {
    add(table, row, line) {
      const kept = hashes.get(table.name)!
      kept.rows++
      kept.hash.update(line)
      count(money, table, row)
    },
    totals: () => ({
      tables: Object.fromEntries(
        [...hashes].map(([name, { rows, hash }]) => [name, { rows, sha256: hash.copy().digest('hex') }]),
      ),
      money: Object.fromEntries(money),
    }),
  }
}

function count(money: Map<string, Money>, table: Table, row: Row): void {
  if (table.name === 'accounts') {
    money.set(String(row.account_id), {
      balanceMicros: Number(row.balance_micros),
      ledgerMicros: 0,
      reservedMicros: Number(row.reserved_micros),
      heldMicros: 0,
    })
    return
  }
  const account = money.get(String(row.account_id))
  if (!account) return
  if (table.name === 'ledger') account.ledgerMicros += Number(row.micros)
  if (table.name === 'deliveries' && row.closed_at === null) {
    account.heldMicros += Number(row.reserved_micros) - Number(row.charged_micros)
  }
}

/** The accounts whose balance is not their ledger's sum, or whose reserve is not what their open deliveries hold. */
export const unbalanced = ({ money }: Totals): string[] =>
  Object.entries(money)
    .filter(([, each]) => each.balanceMicros !== each.ledgerMicros || each.reservedMicros !== each.heldMicros)
    .map(([accountId]) => accountId)
