import { DatabaseSync } from 'node:sqlite'

export type Inspection = {
  /** Of the schema. */
  version: number
  /** SQLite's own word on the file: `ok`, or what is broken. */
  damage: string
  newestEventAt: number | undefined
}

/** Looks at a database file for reading only: it is neither migrated nor mended. Throws where it can not be opened. */
export function inspectSqlite(path: string): Inspection {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 2000 })
  try {
    const { version } = database.prepare('SELECT max(version) AS version FROM schema_version').get()!
    const { quick_check: damage } = database.prepare('PRAGMA quick_check(1)').get()!
    const { at } = database.prepare('SELECT at FROM events ORDER BY seq DESC LIMIT 1').get() ?? {}
    return {
      version: Number(version),
      damage: String(damage),
      newestEventAt: at === undefined ? undefined : Number(at),
    }
  } finally {
    database.close()
  }
}
