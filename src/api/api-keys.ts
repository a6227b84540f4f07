import { Type } from 'typebox'
import type { ApiKey } from '../store/types.ts'
import { opaqueId } from '../verification/index.ts'
import { isAddressOrBlock } from './allowed-ips.ts'
import { Problems } from './problems.ts'
import { hashSecret, newKeySecret } from './secrets.ts'
import type { Wire } from './types.ts'

/** What the calls of all three eras say of a key alike (contract §1.11). */

export const KeyName = Type.String({ minLength: 1, maxLength: 255, examples: ['backend'] })
export const AllowedIPs = Type.Array(Type.String({ maxLength: 50 }), {
  maxItems: 100,
  description: 'Addresses or CIDR blocks; none means every address.',
  examples: [['203.0.113.7', '198.51.100.0/24']],
})
/** A date and time, or milliseconds since 1970. */
export const When = Type.Unsafe<string | number>({
  type: ['string', 'integer'],
  maxLength: 40,
  minimum: 0,
  maximum: Date.UTC(9999, 11, 31),
  description: 'ISO 8601, or milliseconds since 1970.',
  examples: ['2030-01-31T12:00:00Z'],
})

export type KeyWish = {
  name: string
  allowedIPs?: string[]
  validFrom?: string | number
  validTo?: string | number
  enabled?: boolean
  permissions: string[]
  scopes: string[]
}

/** Makes a key and keeps it, without its secret: that leaves with the answer and is not seen again. */
export async function makeKey(
  { clock, random, store }: Pick<Wire, 'clock' | 'random' | 'store'>,
  accountId: string,
  wish: KeyWish,
): Promise<{ key: ApiKey; secret: string }> {
  const problems = new Problems()
  for (const entry of wish.allowedIPs ?? []) {
    if (!isAddressOrBlock(entry)) problems.add('allowedIPs', 'must hold IP addresses or CIDR blocks')
  }
  const validFrom = readWhen('validFrom', wish.validFrom, problems)
  const validTo = readWhen('validTo', wish.validTo, problems)
  if (validTo !== undefined && validTo <= Math.max(clock.now(), validFrom ?? 0)) {
    problems.add('validTo', 'must be later than now and than validFrom')
  }
  problems.raise()
  const secret = newKeySecret(random)
  const key: ApiKey = {
    keyId: opaqueId(random),
    accountId,
    name: wish.name,
    secretHash: hashSecret(secret),
    enabled: wish.enabled ?? true,
    scopes: wish.scopes,
    permissions: wish.permissions,
    allowedIps: wish.allowedIPs ?? [],
    ...(validFrom !== undefined && { validFrom }),
    ...(validTo !== undefined && { validTo }),
    createdAt: clock.now(),
  }
  await store.createKey(key)
  return { key, secret }
}

/** `2015-02-22T17:42:05.390+0100`, as the platform writes it, lacks the colon that JavaScript wants in the offset. */
function readWhen(field: string, given: string | number | undefined, problems: Problems): number | undefined {
  if (given === undefined || typeof given === 'number') return given
  const at = Date.parse(given.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'))
  if (Number.isNaN(at)) problems.add(field, 'must be a date and time, such as 2030-01-31T12:00:00Z')
  return at
}

/** The restrictions of a key as an answer tells them: only those that it has. */
export const restrictionsOf = (key: ApiKey) => ({
  ...(key.allowedIps.length > 0 && { allowedIPs: key.allowedIps }),
  ...(key.validFrom !== undefined && { validFrom: new Date(key.validFrom).toISOString() }),
  ...(key.validTo !== undefined && { validTo: new Date(key.validTo).toISOString() }),
})
