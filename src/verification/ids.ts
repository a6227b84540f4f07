import type { Random } from '../random.ts'

/** 32 upper-case hex characters, as the contract's ids look. */
export const opaqueId = (random: Random): string => random.hex(16).toUpperCase()

/**
 * A pinId: looks like any other id and can not be guessed (80 random bits), but begins with its time in milliseconds, so
 * that rows made together lie together in the database's index.
 */
export function timedId(random: Random, now: number): string {
  return (now.toString(16).padStart(12, '0') + random.hex(10)).toUpperCase()
}
