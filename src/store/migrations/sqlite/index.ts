import type { Numbers } from '../../numbers.ts'
import type { Database } from '../../sqlite/database.ts'
import { sql as firstTables } from './0001-first-tables.ts'
import { run as numbersAndNodes } from './0002-numbers-and-nodes.ts'

export type Migration = {
  version: number
  name: string
  /** Statements, or where SQL can not do it alone, a program. Runs in a transaction, foreign keys are checked at its end. */
  step: string | ((database: Database, keys: { numbers: Numbers }) => void)
  /** Free pages of the file may hold what must not be kept: it is written anew afterwards. */
  leavesTraces?: boolean
}

/** In order, one after the other, never changed once released: what is wrong in one is put right by the next. */
export const migrations: readonly Migration[] = [
  { version: 1, name: 'first-tables', step: firstTables },
  { version: 2, name: 'numbers-and-nodes', step: numbersAndNodes, leavesTraces: true },
]
