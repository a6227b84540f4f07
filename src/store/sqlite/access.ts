import type { ApiKey, Login, Session } from '../types.ts'
import type { Database } from './database.ts'

export function prepareLogins(database: Database) {
  const put = database.prepare(`
    INSERT INTO logins (user, account_id, password_hash) VALUES (?, ?, ?)
    ON CONFLICT (user) DO UPDATE SET account_id = excluded.account_id, password_hash = excluded.password_hash`)
  const find = database.prepare<{ user: string; account_id: string; password_hash: string }>(
    'SELECT user, account_id, password_hash FROM logins WHERE user = ?',
  )
  return {
    put: ({ user, accountId, passwordHash }: Login): void => void put.run(user, accountId, passwordHash),
    find(user: string): Login | undefined {
      const row = find.get(user)
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

export function prepareKeys(database: Database) {
  const insert = database.prepare(`
    INSERT INTO api_keys (secret_hash, key_id, account_id, name, enabled, scopes, permissions, allowed_ips, valid_from,
      valid_to, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const find = database.prepare<KeyRow>('SELECT * FROM api_keys WHERE secret_hash = ?')
  const list = database.prepare<KeyRow>('SELECT * FROM api_keys WHERE account_id = ? ORDER BY created_at, key_id')
  const enable = database.prepare('UPDATE api_keys SET enabled = ? WHERE account_id = ? AND key_id = ?')
  return {
    create(key: ApiKey): void {
      insert.run(
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
      )
    },
    find(secretHash: string): ApiKey | undefined {
      const row = find.get(secretHash)
      return row && keyOf(row)
    },
    list: (accountId: string): ApiKey[] => list.all(accountId).map(keyOf),
    enable: (accountId: string, keyId: string, enabled: boolean): boolean =>
      enable.run(enabled ? 1 : 0, accountId, keyId) === 1,
  }
}

type SessionRow = {
  token_hash: string
  account_id: string
  kind: Session['kind']
  expires_at: number
  slides_ms: number | null
}

export function prepareSessions(database: Database) {
  const insert = database.prepare(
    'INSERT INTO sessions (token_hash, account_id, kind, expires_at, slides_ms) VALUES (?, ?, ?, ?, ?)',
  )
  const slide = database.prepare(
    'UPDATE sessions SET expires_at = ?2 + slides_ms WHERE token_hash = ?1 AND slides_ms IS NOT NULL AND expires_at > ?2',
  )
  const find = database.prepare<SessionRow>('SELECT * FROM sessions WHERE token_hash = ?')
  const removeEnded = database.prepare('DELETE FROM sessions WHERE token_hash = ? AND expires_at <= ?')
  const remove = database.prepare('DELETE FROM sessions WHERE token_hash = ?')

  function read(tokenHash: string): Session | undefined {
    const row = find.get(tokenHash)
    return (
      row && {
        tokenHash: row.token_hash,
        accountId: row.account_id,
        kind: row.kind,
        expiresAt: row.expires_at,
        ...(row.slides_ms !== null && { slidesMs: row.slides_ms }),
      }
    )
  }

  return {
    create({ tokenHash, accountId, kind, expiresAt, slidesMs }: Session): void {
      insert.run(tokenHash, accountId, kind, expiresAt, slidesMs ?? null)
    },
    read,
    /** Whether using it writes: it slides, or it is over and goes. */
    moves: (session: Session, now: number): boolean => session.slidesMs !== undefined || session.expiresAt <= now,
    use(tokenHash: string, now: number): Session | undefined {
      slide.run(tokenHash, now)
      removeEnded.run(tokenHash, now)
      return read(tokenHash)
    },
    remove: (tokenHash: string): boolean => remove.run(tokenHash) === 1,
  }
}
