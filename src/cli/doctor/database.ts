import { existsSync } from 'node:fs'
import type { Clock } from '../../clock.ts'
import { inspectSqlite } from '../../store/index.ts'
import { type Finding, fail, ok, type Patient, reasonOf } from './types.ts'

const DAY_MS = 86_400_000
/** Wall clocks of one machine are put right by small steps: less than this is no news. */
const SLACK_MS = 5 * 60_000
/** No clock that is right shows a time before this program was written. */
const WRITTEN_AT = Date.parse('2026-11-01T00:00:00Z')

export async function checkDatabase({ databasePath }: Patient): Promise<Finding[]> {
  if (!existsSync(databasePath)) return [ok('database', `${databasePath} will be made at the first start`)]
  try {
    const { version, damage } = inspectSqlite(databasePath)
    if (damage === 'ok') return [ok('database', `${databasePath} opens, schema version ${version}`)]
    const todo = 'Stop the server, keep a copy of the file, and restore the last backup.'
    return [fail('database', `${databasePath} is damaged: ${damage}`, todo)]
  } catch (error) {
    const { message } = error as Error
    const todo = 'See that it is a database of Pincall which this user may read; else restore the last backup.'
    return [fail('database', `${databasePath} does not open: ${message}`, todo)]
  }
}

/** PINs and limits live by the wall clock: one that stands before what has happened already would revive what is over. */
export async function checkClock({ databasePath }: Patient, clock: Pick<Clock, 'now'>): Promise<Finding[]> {
  const now = clock.now()
  const saw = `it is ${new Date(now).toISOString()}`
  const todo = 'Set the clock of this machine, and let NTP keep it right.'
  if (now < WRITTEN_AT) return [fail('clock', `${saw}, which is before this program was written`, todo)]
  const newest = newestEventAt(databasePath)
  if (newest !== undefined && now < newest - SLACK_MS) {
    const behind = newest - now
    const by = behind > DAY_MS ? `${Math.round(behind / DAY_MS)} days` : `${Math.round(behind / 60_000)} minutes`
    return [fail('clock', `${saw}, which is ${by} before the newest event in the database`, todo)]
  }
  return [ok('clock', saw)]
}

function newestEventAt(path: string): number | undefined {
  try {
    return existsSync(path) ? inspectSqlite(path).newestEventAt : undefined
  } catch (error) {
    if (reasonOf(error) === 'ERR_SQLITE_ERROR') return undefined // the database's own check tells of it
    throw error
  }
}
