import { Hosts } from './connect.ts'
import { versionOf } from './migrate.ts'

export type PostgresInspection = {
  /** Of the schema; 0 where there is none yet. */
  version: number
  /** `15.18` */
  serverVersion: string
  readOnly: boolean
  /** The database's clock less this machine's. */
  clockSkewMs: number
  newestEventAt: number | undefined
}

/** Looks at a database without changing it. Throws where no host of the URL answers, or none can be written to. */
export async function inspectPostgres(url: string): Promise<PostgresInspection> {
  const hosts = new Hosts(url)
  let failure: unknown
  for (let tries = 0; tries < hosts.count; tries++) {
    try {
      const client = await hosts.connect('pincall doctor')
      try {
        const begun = Date.now()
        const { rows } = await client.query(`SELECT current_setting('server_version') AS version,
          current_setting('transaction_read_only') = 'on' AS fixed, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now`)
        const clockSkewMs = rows[0].now - (begun + Date.now()) / 2
        const { rows: tables } = await client.query("SELECT to_regclass('schema_version') IS NOT NULL AS there")
        const version = tables[0].there ? await versionOf(client) : 0
        const { rows: newest } =
          version === 0
            ? { rows: [] }
            : await client.query(
                'SELECT max(e.at) AS at FROM event_heads h JOIN events e ON e.account_id = h.account_id AND e.seq = h.seq',
              )
        return {
          version,
          serverVersion: rows[0].version,
          readOnly: rows[0].fixed,
          clockSkewMs,
          newestEventAt: newest[0]?.at ?? undefined,
        }
      } finally {
        client.end().catch(() => {})
      }
    } catch (error) {
      failure = error
    }
  }
  throw failure
}
