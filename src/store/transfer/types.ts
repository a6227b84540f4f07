import type { Row, Table } from './tables.ts'

/** Which tables a database has: each engine numbers its own migrations. */
export type Schema = { engine: Engine; version: number }
export type Engine = 'sqlite' | 'postgres'

/** Rows read from one moment of a database, page by page in the order of the table's primary key. */
export type Readable = { rows(table: Table): AsyncIterable<Row[]> }

export type Source = Readable & {
  readonly schema: Schema
  close(): Promise<void>
}

/** An empty database in one transaction: what is inserted can be read back, and is there for others after the commit only. */
export type Target = Readable & {
  insert(table: Table, rows: readonly Row[]): Promise<void>
  /** Sets what counts up by itself behind the newest row, and commits. */
  commit(): Promise<void>
  /** Undoes everything unless it was committed. */
  close(): Promise<void>
}

/** Where an installation is kept. */
export type Place = { databaseUrl?: string; dataDir: string }

export const ROWS_PER_PAGE = 500
