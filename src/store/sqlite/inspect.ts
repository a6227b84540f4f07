import { DatabaseSync } from 'node:sqlite'

export type Inspection = {
  /** Of the schema. */
  version: number
  /** SQLite's own word on the file: `ok`, or what is broken. */
  damage: string
  newestEventAt: number | undefined
}

/** By schema version; since 2 each account has its own numbers. */
const NEWEST_EVENT = {
  1: 'SELECT at FROM events ORDER BY seq DESC LIMIT 1',
  2: `SELECT max(at) AS at FROM (
    SELECT (SELECT at FROM events e WHERE e.account_id = h.account_id ORDER BY seq DESC LIMIT 1) AS at FROM event_heads h)`,
}

/** Looks at a database file for reading only: it is neither migrated nor mended. Throws where it can not be opened. */
export function inspectSqlite(path: string): Inspection {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 2000 })
  try {
    const { version } = database.prepare('SELECT max(version) AS version FROM schema_version').get()!
    const { quick_check: damage } = database.prepare('PRAGMA quick_check(1)').get()!
    const { at } = database.prepare(NEWEST_EVENT[Number(version) < 2 ? 1 : 2]).get() ?? {}
    return {
      version: Number(version),
      damage: String(damage),
      newestEventAt: at === undefined || at === null ? undefined : Number(at),
    }
  } finally {
    database.close()
  }
}
