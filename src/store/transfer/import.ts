import { isDeepStrictEqual } from 'node:util'
import { PincallError } from '../../errors.ts'
import { migrations as postgresMigrations } from '../migrations/postgres/index.ts'
import { migrations as sqliteMigrations } from '../migrations/sqlite/index.ts'
import type { Numbers } from '../numbers.ts'
import { FORMAT, FORMAT_VERSION, headerSum } from './export.ts'
import { namesOf, type Row, rowOf, TABLES, type Table } from './tables.ts'
import { lineOf, makeTally, type Tally, type Totals, unbalanced } from './tally.ts'
import { type Engine, type Readable, ROWS_PER_PAGE, type Target } from './types.ts'

/**
 * Writes an export into an empty database: everything, or nothing. Before it is committed, every row is read back and
 * compared with what the file says it holds.
 */
export async function importLines(
  target: Target,
  lines: AsyncIterable<string>,
  numbers: Pick<Numbers, 'open'>,
): Promise<Totals> {
  const told = await fill(target, lines, sealsBy(numbers))
  const found = await tallyOf(target)
  const other = Object.keys(told.tables).find((name) => !isDeepStrictEqual(told.tables[name], found.tables[name]))
  if (other) throw broken(`${other} reads back otherwise than it was written`)
  const [account] = unbalanced(found)
  if (account !== undefined) {
    throw broken(`the balance or the reserve of account ${account} is not what its ledger and its deliveries say`)
  }
  await target.commit()
  return found
}

/** Counts what a database holds. */
export async function tallyOf(source: Readable): Promise<Totals> {
  const tally = makeTally()
  for (const table of TABLES) {
    for await (const page of source.rows(table)) for (const row of page) tally.add(table, row, lineOf(table, row))
  }
  return tally.totals()
}

/** Inserts every row of the file as it comes; resolves once its last line was found to tell the truth about them. */
async function fill(target: Target, lines: AsyncIterable<string>, assertSeal: (row: Row) => void): Promise<Totals> {
  const tally = makeTally()
  let header: string | undefined
  let end: End | undefined
  let number = 0
  let waiting: { table: Table; rows: Row[] } | undefined
  const flush = async () => {
    if (waiting) await target.insert(waiting.table, waiting.rows)
    waiting = undefined
  }
  for await (const line of lines) {
    number++
    if (end) throw notWhole(`goes on after its last line, with line ${number}`)
    const parsed = parse(line, number)
    if (header === undefined) {
      assertReadable(parsed)
      header = line
    } else if (isEnd(parsed)) {
      end = parsed
    } else {
      const { table, row } = placed(parsed, number)
      tally.add(table, row, lineOf(table, row))
      if (table.name === 'pins') assertSeal(row)
      if (waiting?.table !== table || waiting.rows.length >= ROWS_PER_PAGE) await flush()
      waiting ??= { table, rows: [] }
      waiting.rows.push(row)
    }
  }
  if (header === undefined) throw notWhole('is empty')
  if (!end) throw notWhole(`ends at line ${number}, before the line that says what it holds`)
  assertTrue(end, header, tally)
  await flush()
  return tally.totals()
}

/** Opens one number of each master key: with another key of the same name, no open PIN could be verified any more. */
function sealsBy(numbers: Pick<Numbers, 'open'>): (row: Row) => void {
  const known = new Set<string>()
  return ({ to_sealed, pin_id }) => {
    const sealed = String(to_sealed)
    const keyId = sealed.slice(0, sealed.lastIndexOf('.'))
    if (known.has(keyId)) return
    try {
      numbers.open(sealed, String(pin_id))
    } catch (error) {
      throw new PincallError(
        'configuration',
        `The numbers in this export are sealed with a master key ${keyId} which is not the one here, or missing here: bring secret.key (or PINCALL_SECRET_KEY) from the installation that was exported. Nothing was written.`,
        { cause: error },
      )
    }
    known.add(keyId)
  }
}

type End = { end: true; header: string } & Totals

const isEnd = (value: unknown): value is End => (value as { end?: unknown } | null)?.end === true

function assertTrue(end: End, header: string, tally: Tally): void {
  const { tables, money } = tally.totals()
  if (end.header !== headerSum(header)) throw notWhole('has another first line than it was written with')
  const other = Object.keys(tables).find((name) => !isDeepStrictEqual(end.tables?.[name], tables[name]))
  if (other) throw notWhole(`does not hold the rows of ${other} that its last line tells of`)
  if (!isDeepStrictEqual(end.money, money)) throw notWhole('does not hold the money that its last line tells of')
}

function parse(line: string, number: number): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw notWhole(number === 1 ? 'does not begin as one' : `can not be read at line ${number}`)
  }
}

const NEWEST: Record<Engine, number> = {
  sqlite: sqliteMigrations.at(-1)?.version ?? 0,
  postgres: postgresMigrations.at(-1)?.version ?? 0,
}

function assertReadable(header: unknown): void {
  const { format, version, schema } = (header ?? {}) as Record<string, unknown>
  if (format !== FORMAT || typeof version !== 'number') throw notWhole('does not begin as one')
  if (version > FORMAT_VERSION) throw newer(`has format version ${version}`, `up to ${FORMAT_VERSION}`)
  const { engine, version: tables } = (schema ?? {}) as Record<string, unknown>
  const known = NEWEST[engine as Engine]
  if (known === undefined || typeof tables !== 'number') throw newer(`comes from a database of another kind`, 'others')
  if (tables > known) throw newer(`has schema version ${tables} (${engine})`, `up to ${known}`)
}

function placed(value: unknown, number: number): { table: Table; row: Row } {
  const [name, raw] = Array.isArray(value) ? value : []
  const table = TABLES.find((each) => each.name === name)
  if (!table || typeof raw !== 'object' || raw === null) throw notWhole(`can not be read at line ${number}`)
  const columns = namesOf(table)
  const missing = columns.find((column) => !(column in raw))
  if (missing) throw notWhole(`has no ${table.name}.${missing} at line ${number}`)
  const unknown = Object.keys(raw).find((column) => !columns.includes(column))
  if (unknown) throw notWhole(`has something else in a row of ${table.name} at line ${number}`)
  try {
    return { table, row: rowOf(table, raw) }
  } catch (error) {
    throw notWhole(`can not be read at line ${number}: ${(error as Error).message}`)
  }
}

export const notWhole = (what: string): PincallError =>
  new PincallError(
    'invalid',
    `This is not a whole, unchanged export of Pincall: it ${what}. Nothing was written; export again, with this version.`,
  )

const newer = (has: string, knows: string) =>
  new PincallError(
    'configuration',
    `The export ${has}, this program knows ${knows}: upgrade this Pincall to the version that wrote it. Nothing was written.`,
  )

const broken = (what: string) =>
  new PincallError(
    'invalid',
    `The import was given up: ${what}. Nothing was written; export again, and say so in an issue.`,
  )
