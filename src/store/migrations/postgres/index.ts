import { sql as firstTables } from './0001-first-tables.ts'

export type Migration = { version: number; name: string; sql: string }

/** In order, one after the other, never changed once released: what is wrong in one is put right by the next. */
export const migrations: readonly Migration[] = [{ version: 1, name: 'first-tables', sql: firstTables }]
