import type { ApiKey } from '../store/types.ts'

/** The contract's scopes (§6) that mean something here. */
export const SCOPES = ['2fa:manage', '2fa:pin:send', '2fa:pin:manage', '2fa:sdk'] as const

/** Any one of these is enough for an operation (contract §1.2). */
export const MANAGE = ['2fa:manage'] as const
export const PINS = ['2fa:manage', '2fa:pin:send', '2fa:pin:manage'] as const

/** What permissions of the years before scopes amount to: `TFA` was for the PIN methods only. */
const OF_PERMISSION: Record<string, string> = { ALL: '2fa:manage', PUBLIC_API: '2fa:manage', TFA: '2fa:pin:send' }

/** A key's scopes; where it was made without any, what its permissions say. */
export function scopesOf(key: Pick<ApiKey, 'scopes' | 'permissions'>): ReadonlySet<string> {
  if (key.scopes.length > 0) return new Set(key.scopes)
  return new Set(key.permissions.map((permission) => OF_PERMISSION[permission]).filter((scope) => scope !== undefined))
}

/** Whoever has the account's password may do everything. */
export const EVERYTHING: ReadonlySet<string> = new Set(SCOPES)
