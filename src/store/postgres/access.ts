import type { ApiKey, Login, Session } from '../types.ts'
import { makeBatches } from './batch.ts'
import type { Database } from './database.ts'

export function makeLogins(database: Database) {
  const put = {
    name: 'put login',
    text: `INSERT INTO logins ("user", account_id, password_hash) VALUES ($1, $2, $3)
      ON CONFLICT ("user") DO UPDATE SET account_id = EXCLUDED.account_id, password_hash = EXCLUDED.password_hash`,
  }
  const find = { name: 'find login', text: 'SELECT "user", account_id, password_hash FROM logins WHERE "user" = $1' }
  return {
    async put({ user, accountId, passwordHash }: Login): Promise<void> {
      await database.query(put, [user, accountId, passwordHash])
    },
    async find(user: string): Promise<Login | undefined> {
      type Row = { user: string; account_id: string; password_hash: string }
      const [row] = await database.query<Row>(find, [user])
      return row && { accountId: row.account_id, user: row.user, passwordHash: row.password_hash }
    },
  }
}

type KeyRow = {
  secret_hash: string
  key_id: string
  account_id: string
  name: string
  enabled: number
  scopes: string
  permissions: string
  allowed_ips: string
  valid_from: number | null
  valid_to: number | null
  created_at: number
}

const keyOf = (row: KeyRow): ApiKey => ({
  keyId: row.key_id,
  accountId: row.account_id,
  name: row.name,
  secretHash: row.secret_hash,
  enabled: row.enabled === 1,
  scopes: JSON.parse(row.scopes),
  permissions: JSON.parse(row.permissions),
  allowedIps: JSON.parse(row.allowed_ips),
  ...(row.valid_from !== null && { validFrom: row.valid_from }),
  ...(row.valid_to !== null && { validTo: row.valid_to }),
  createdAt: row.created_at,
})

export function makeKeys(database: Database) {
  const columns =
    'secret_hash, key_id, account_id, name, enabled, scopes, permissions, allowed_ips, valid_from, valid_to, created_at'
  const insert = {
    name: 'create key',
    text: `INSERT INTO api_keys (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
  }
  const insertAgain = { name: 'create key again', text: `${insert.text} ON CONFLICT DO NOTHING` }
  const find = { name: 'find keys', text: `SELECT ${columns} FROM api_keys WHERE secret_hash = ANY ($1)` }
  const list = {
    name: 'list keys',
    text: `SELECT ${columns} FROM api_keys WHERE account_id = $1 ORDER BY created_at, key_id`,
  }
  const enable = {
    name: 'enable key',
    text: 'UPDATE api_keys SET enabled = $1 WHERE account_id = $2 AND key_id = $3 RETURNING 1',
  }
  const findBatched = makeBatches<string, ApiKey | undefined>({
    most: 500,
    atOnce: 2,
    async run(hashes) {
      const rows = await database.query<KeyRow>(find, [[...new Set(hashes)]])
      const found = new Map(rows.map((row) => [row.secret_hash, keyOf(row)]))
      return hashes.map((hash) => found.get(hash))
    },
  })
  return {
    async create(key: ApiKey): Promise<void> {
      const values = [
        key.secretHash,
        key.keyId,
        key.accountId,
        key.name,
        key.enabled ? 1 : 0,
        JSON.stringify(key.scopes),
        JSON.stringify(key.permissions),
        JSON.stringify(key.allowedIps),
        key.validFrom ?? null,
        key.validTo ?? null,
        key.createdAt,
      ]
      await database.write((again) => database.once(again ? insertAgain : insert, values))
    },
    find: findBatched,
    async list(accountId: string): Promise<ApiKey[]> {
      return (await database.query<KeyRow>(list, [accountId])).map(keyOf)
    },
    async enable(accountId: string, keyId: string, enabled: boolean): Promise<boolean> {
      return (await database.query(enable, [enabled ? 1 : 0, accountId, keyId])).length === 1
    },
  }
}

type SessionRow = {
  token_hash: string
  account_id: string
  kind: Session['kind']
  expires_at: number
  slides_ms: number | null
}

const sessionOf = (row: SessionRow): Session => ({
  tokenHash: row.token_hash,
  accountId: row.account_id,
  kind: row.kind,
  expiresAt: row.expires_at,
  ...(row.slides_ms !== null && { slidesMs: row.slides_ms }),
})

export function makeSessions(database: Database) {
  const columns = 'token_hash, account_id, kind, expires_at, slides_ms'
  const insert = {
    name: 'create session',
    text: `INSERT INTO sessions (${columns}) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (token_hash) DO NOTHING`,
  }
  const use = {
    name: 'use session',
    text: `UPDATE sessions SET expires_at = $2 + slides_ms
      WHERE token_hash = $1 AND slides_ms IS NOT NULL AND expires_at > $2 RETURNING ${columns}`,
  }
  const find = {
    name: 'find session',
    text: `SELECT ${columns} FROM sessions WHERE token_hash = $1 AND expires_at > $2`,
  }
  const removeEnded = {
    name: 'remove ended session',
    text: 'DELETE FROM sessions WHERE token_hash = $1 AND expires_at <= $2',
  }
  const remove = { name: 'remove session', text: 'DELETE FROM sessions WHERE token_hash = $1 RETURNING 1' }
  return {
    async create({ tokenHash, accountId, kind, expiresAt, slidesMs }: Session): Promise<void> {
      await database.query(insert, [tokenHash, accountId, kind, expiresAt, slidesMs ?? null])
    },
    async use(tokenHash: string, now: number): Promise<Session | undefined> {
      const [slid] = await database.query<SessionRow>(use, [tokenHash, now])
      if (slid) return sessionOf(slid)
      const [found] = await database.query<SessionRow>(find, [tokenHash, now])
      if (found) return sessionOf(found)
      await database.query(removeEnded, [tokenHash, now])
      return undefined
    },
    async remove(tokenHash: string): Promise<boolean> {
      let gone = false
      await database.write(async (again) => {
        gone = (await database.once(remove, [tokenHash])).length === 1 || again
      })
      return gone
    },
  }
}
