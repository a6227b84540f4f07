import { type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { systemRandom } from '../random.ts'

/** OWASP's scrypt settings for 16 MiB: about a fifth of a second of one core. */
const COST = { N: 2 ** 14, r: 8, p: 5 }
const KEY_BYTES = 32
const SALT_BYTES = 16

/** `scrypt$N$r$p$salt$hash`: the settings travel with the hash, so that they can be raised later. */
export async function hashPassword(password: string): Promise<string> {
  const salt = systemRandom.bytes(SALT_BYTES)
  const { N, r, p } = COST
  const derived = await derive(password, salt, COST)
  return ['scrypt', N, r, p, salt.toString('base64url'), derived.toString('base64url')].join('$')
}

export async function verifyPassword(password: string, passwordHash: string): Promise<boolean> {
  const [scheme, N, r, p, salt, expected] = passwordHash.split('$')
  if (scheme !== 'scrypt' || !expected) return false
  const derived = await derive(password, Buffer.from(salt, 'base64url'), { N: Number(N), r: Number(r), p: Number(p) })
  const wanted = Buffer.from(expected, 'base64url')
  return wanted.length === derived.length && timingSafeEqual(derived, wanted)
}

/** No password has this hash: checking against it takes as long as against a real one. */
export const NOBODY = `scrypt$${COST.N}$${COST.r}$${COST.p}$${'A'.repeat(22)}$${'A'.repeat(43)}`

function derive(password: string, salt: Buffer, cost: { N: number; r: number; p: number }): Promise<Buffer> {
  const options: ScryptOptions = { ...cost, maxmem: 256 * cost.N * cost.r }
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}
