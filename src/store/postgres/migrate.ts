import { PincallError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { type Migration, migrations } from '../migrations/postgres/index.ts'
import { type Connection, type Hosts, shownUrl } from './connect.ts'
import type { Routine } from './routines.ts'

/** Another node may be at it, on a table that takes its time. */
const WAIT_FOR_OTHERS_MS = 120_000

/**
 * Brings the tables up to date and makes the routines that are missing. Nodes that start together wait for each other at
 * the lock of one table; the later ones find the work done.
 */
export async function migrate(
  hosts: Hosts,
  log: Log,
  routines: readonly Routine[],
  steps: readonly Migration[] = migrations,
): Promise<void> {
  const client = await hosts.connect('pincall migration', {
    statementMs: WAIT_FOR_OTHERS_MS,
    answerMs: WAIT_FOR_OTHERS_MS + 5000,
  })
  try {
    await assertEncoding(client)
    await makeVersionTable(client)
    if (await upToDate(client, routines, steps)) return
    await client.query('BEGIN')
    await client.query('LOCK TABLE schema_version IN ACCESS EXCLUSIVE MODE')
    const version = await versionOf(client)
    assertKnown(version, hosts.url, steps)
    for (const step of steps.filter((each) => each.version > version)) {
      log.info({ version: step.version, name: step.name }, 'bringing the tables up to date')
      await client.query(step.sql)
      await client.query('INSERT INTO schema_version (version, name) VALUES ($1, $2)', [step.version, step.name])
    }
    const missing = await missingRoutines(client, routines)
    for (const { create } of missing) await client.query(create)
    await client.query('COMMIT')
  } finally {
    client.end().catch(() => {}) // where it failed half way, the server rolls back
  }
}

async function upToDate(
  client: Connection,
  routines: readonly Routine[],
  steps: readonly Migration[],
): Promise<boolean> {
  const version = await versionOf(client)
  return version === (steps.at(-1)?.version ?? 0) && (await missingRoutines(client, routines)).length === 0
}

/** Two nodes that create a table at once can both find it missing; the second then trips over the first's. */
async function makeVersionTable(client: Connection): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await client.query(
        'CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL PRIMARY KEY, name text NOT NULL)',
      )
      return
    } catch (error) {
      const { code } = error as { code?: string }
      if (tries > 5 || !['23505', '42P07', '42710', 'XX000'].includes(code ?? '')) throw error
    }
  }
}

export async function versionOf(client: Connection): Promise<number> {
  const { rows } = await client.query('SELECT coalesce(max(version), 0) AS version FROM schema_version')
  return rows[0].version
}

async function missingRoutines(client: Connection, routines: readonly Routine[]): Promise<Routine[]> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT proname AS name FROM pg_proc WHERE proname = ANY($1) AND pg_function_is_visible(oid)',
    [routines.map(({ name }) => name)],
  )
  return routines.filter(({ name }) => !rows.some((row) => row.name === name))
}

function assertKnown(version: number, url: string, steps: readonly Migration[]): void {
  const newest = steps.at(-1)?.version ?? 0
  if (version <= newest) return
  throw new PincallError(
    'configuration',
    `The database ${shownUrl(url)} has schema version ${version}, this program knows versions up to ${newest}: ` +
      'upgrade Pincall to the version that wrote it (the database is not changed).',
  )
}

async function assertEncoding(client: Connection): Promise<void> {
  const { rows } = await client.query('SHOW server_encoding')
  if (rows[0].server_encoding === 'UTF8') return
  throw new PincallError(
    'configuration',
    `The database's encoding is ${rows[0].server_encoding}, and Pincall keeps texts of all languages: make it anew with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.`,
  )
}
