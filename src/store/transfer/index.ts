import { join } from 'node:path'
import type { StoreOptions } from '../open.ts'
import { openStore } from '../open.ts'
import { exportText } from './export.ts'
import { linesOf, writeText } from './file.ts'
import { importLines } from './import.ts'
import { assertPostgresEmpty, openPostgresSource, openPostgresTarget } from './postgres.ts'
import { assertSqliteEmpty, openSqliteSource, openSqliteTarget } from './sqlite.ts'
import { makeTally, type Totals, unbalanced } from './tally.ts'
import type { Place } from './types.ts'

export { type Backup, backupSqlite } from './backup.ts'
export type { Totals } from './tally.ts'
export type { Place } from './types.ts'

const pathIn = ({ dataDir }: Place) => join(dataDir, 'pincall.db')

/**
 * Writes everything an installation is into a new file (gzipped where its name ends in .gz), or a stream: as it is at one
 * moment, while servers go on. Numbers stay sealed. `unbalanced` names accounts whose money does not add up, which an import
 * would refuse.
 */
export async function exportStore(
  place: Place,
  to: string | NodeJS.WritableStream,
  now: number,
): Promise<{ totals: Totals; unbalanced: string[] }> {
  const source = place.databaseUrl ? await openPostgresSource(place.databaseUrl) : openSqliteSource(pathIn(place))
  try {
    const tally = makeTally()
    await writeText(to, exportText(source, now, tally))
    const totals = tally.totals()
    return { totals, unbalanced: unbalanced(totals) }
  } finally {
    await source.close()
  }
}

/**
 * Makes a new database hold what an export holds, or leaves it empty. Refuses one that has anything in it, a file that is
 * not whole, and one whose numbers are sealed with other master keys than these.
 */
export async function importStore(options: StoreOptions, from: string | NodeJS.ReadableStream): Promise<Totals> {
  const { databaseUrl } = options
  const path = pathIn(options)
  if (databaseUrl) await assertPostgresEmpty(databaseUrl)
  else assertSqliteEmpty(path)
  await (await openStore(options)).close() // makes the tables
  const target = databaseUrl ? await openPostgresTarget(databaseUrl) : openSqliteTarget(path)
  try {
    return await importLines(target, linesOf(from), options.numbers)
  } finally {
    await target.close()
  }
}
