import { existsSync } from 'node:fs'
import type { Clock } from '../../clock.ts'
import { inspectPostgres, inspectSqlite, type PostgresInspection, shownUrl } from '../../store/index.ts'
import { type Finding, fail, ok, type Patient, reasonOf, warn } from './types.ts'

const DAY_MS = 86_400_000
/** Wall clocks of one machine are put right by small steps: less than this is no news. */
const SLACK_MS = 5 * 60_000
/** No clock that is right shows a time before this program was written. */
const WRITTEN_AT = Date.parse('2026-11-01T00:00:00Z')

/** The database's clock decides, so a machine that goes wrong only writes wrong times into its log. */
const SKEW_MS = 5000

export async function checkDatabase({ databasePath, settings }: Patient): Promise<Finding[]> {
  const { url, poolSize } = settings.database
  if (url) return checkPostgres(url, poolSize)
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

async function checkPostgres(url: string, poolSize: number): Promise<Finding[]> {
  const where = `PostgreSQL at ${shownUrl(url)}`
  let seen: PostgresInspection
  try {
    seen = await inspectPostgres(url)
  } catch (error) {
    const todo =
      'See that PostgreSQL runs there, that its primary is among the hosts, and that user and password are right.'
    return [fail('database', `${where} cannot be used (${sentenceOf(error)})`, todo)]
  }
  const { version, serverVersion, readOnly, clockSkewMs } = seen
  const schema = version === 0 ? 'tables will be made at the first start' : `schema version ${version}`
  const saw = `${where} answers, version ${serverVersion}, ${schema}`
  const skew = `it and this machine differ by ${(Math.abs(clockSkewMs) / 1000).toFixed(1)} s`
  return [
    readOnly
      ? fail('database', `${saw}, but it can only be read`, 'Name the primary in PINCALL_DATABASE_URL, or all hosts.')
      : ok('database', saw),
    ok('database connections', `up to ${poolSize} from this node, and one that listens`),
    Math.abs(clockSkewMs) > SKEW_MS
      ? warn('database clock', skew, 'The database’s clock decides, but logs have this one: let NTP keep both right.')
      : ok('database clock', skew),
  ]
}

function sentenceOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return message || code || String(error)
}

/** PINs and limits live by the wall clock: one that stands before what has happened already would revive what is over. */
export async function checkClock(patient: Patient, clock: Pick<Clock, 'now'>): Promise<Finding[]> {
  const now = clock.now()
  const saw = `it is ${new Date(now).toISOString()}`
  const todo = 'Set the clock of this machine, and let NTP keep it right.'
  if (now < WRITTEN_AT) return [fail('clock', `${saw}, which is before this program was written`, todo)]
  const newest = await newestEventAt(patient)
  if (newest !== undefined && now < newest - SLACK_MS) {
    const behind = newest - now
    const by = behind > DAY_MS ? `${Math.round(behind / DAY_MS)} days` : `${Math.round(behind / 60_000)} minutes`
    return [fail('clock', `${saw}, which is ${by} before the newest event in the database`, todo)]
  }
  return [ok('clock', saw)]
}

async function newestEventAt({ databasePath, settings }: Patient): Promise<number | undefined> {
  const { url } = settings.database
  // One that does not answer is told of by its own check.
  if (url) return (await inspectPostgres(url).catch(() => undefined))?.newestEventAt
  try {
    return existsSync(databasePath) ? inspectSqlite(databasePath).newestEventAt : undefined
  } catch (error) {
    if (reasonOf(error) === 'ERR_SQLITE_ERROR') return undefined // the database's own check tells of it
    throw error
  }
}
