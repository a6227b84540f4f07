import { PincallError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { Migration } from '../migrations/sqlite/index.ts'
import type { Numbers } from '../numbers.ts'
import type { Database } from './database.ts'

type Migrate = { path: string; numbers: Numbers; log: Log; steps: readonly Migration[] }

/**
 * Brings the tables up to date, all steps or none. Tables may be made anew on the way, so foreign keys are off, and checked
 * before the commit. Refuses a database of a newer program.
 */
export function migrate(database: Database, { path, numbers, log, steps }: Migrate): void {
  database.exec('PRAGMA foreign_keys = OFF; PRAGMA temp_store = FILE') // an index of millions is sorted on the disk
  database.exec('BEGIN IMMEDIATE') // two programs that start together: the second waits, then finds the work done
  try {
    database.exec(
      'CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL) STRICT',
    )
    const version = versionOf(database)
    const newest = steps.at(-1)?.version ?? 0
    if (version > newest) throw tooNew(path, version, newest)
    const missing = steps.filter((each) => each.version > version)
    if (version > 0 && missing.length > 0) log.info({ path, version, newest }, 'the database is brought up to date')
    for (const step of missing) apply(database, step, numbers)
    if (missing.length > 0) checkReferences(database)
    if (version > 0 && missing.some(({ leavesTraces }) => leavesTraces)) database.exec('PRAGMA user_version = 1')
    database.exec('COMMIT')
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK')
    throw error
  }
  database.exec('PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY')
}

const versionOf = (database: Database): number =>
  database.prepare<{ version: number }>('SELECT coalesce(max(version), 0) AS version FROM schema_version').get()
    ?.version ?? 0

function apply(database: Database, { version, name, step }: Migration, numbers: Numbers): void {
  if (typeof step === 'string') database.exec(step)
  else step(database, { numbers })
  database.prepare('INSERT INTO schema_version (version, name) VALUES (?, ?)').run(version, name)
}

function checkReferences(database: Database): void {
  const [broken] = database.prepare<{ table: string; parent: string }>('PRAGMA foreign_key_check').all()
  if (broken) throw new Error(`a row of ${broken.table} refers to a row of ${broken.parent} that is not there`)
}

/**
 * Writes the file anew where a migration left traces in its free pages. The header's user_version, 1 until it is done, is
 * how a start after a crash or a full disk knows.
 */
export function rewrite(database: Database, { path, log }: { path: string; log: Log }): void {
  const { user_version: owed } = database.prepare<{ user_version: number }>('PRAGMA user_version').get() ?? {}
  if (owed !== 1) return
  try {
    database.exec('PRAGMA temp_store = FILE; VACUUM; PRAGMA user_version = 0; PRAGMA wal_checkpoint(TRUNCATE)')
  } catch (error) {
    log.warn(
      { err: error, path },
      'the database could not be written anew after its migration: its free pages still hold numbers in clear. ' +
        'Make room for a second copy of it; the next start tries again',
    )
  }
  database.exec('PRAGMA temp_store = MEMORY')
}

const tooNew = (path: string, version: number, newest: number) =>
  new PincallError(
    'configuration',
    `The database ${path} has schema version ${version}, this program knows versions up to ${newest}: ` +
      'upgrade Pincall to the version that wrote it (the database is not changed).',
  )
