import { hash } from 'node:crypto'
import type { Random } from '../random.ts'

/** Keys and tokens are long and random, so a plain digest hides them; only passwords need scrypt. */
export const hashSecret = (secret: string): string => hash('sha256', secret)

/** `f47ac10b58cc…` → `f47ac10b-58cc-…`. */
export const dashed = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

/** Sixteen random bytes that look like the tokens of the contract. */
export const newToken = (random: Random): string => dashed(random.hex(16))

/** `<32 lower hex>-<UUID>`: what an API key looks like (contract §1.3). */
export const newKeySecret = (random: Random): string => `${random.hex(16)}-${newToken(random)}`
