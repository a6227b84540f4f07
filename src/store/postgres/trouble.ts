import { PincallError } from '../../errors.ts'
import { ReadOnlyServer } from './connect.ts'

/**
 * What a failed statement means (PostgreSQL, appendix A; SQLSTATE):
 * `again`: certainly not done, and the next try may do better. `unknown`: it may have been committed. `down`: certainly not
 * done, the database refuses for now. `fault`: ours.
 */
export type Meaning = 'again' | 'unknown' | 'down' | 'fault'

const AGAIN = new Set([
  '40001', // serialization failure
  '40P01', // deadlock
  '25006', // read-only transaction: the primary was demoted, another host is it
  '57P03', // cannot connect now: starting up
  '53300', // too many connections
  '53400',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])
const DOWN = new Set([
  '53000',
  '53100', // disk full
  '53200', // out of memory
  '55P03', // lock not available
  '57014', // statement time-out: it ends before the commit does
])
/** The backend ended, perhaps between its commit and its answer. */
const UNKNOWN = new Set(['57P01', '57P02', '57P04', '57P05', '08000', '08003', '08006', '08P01', '40003', 'XX000'])

export function meaningOf(error: unknown): Meaning {
  if (error instanceof ReadOnlyServer) return 'again'
  if (!(error instanceof Error)) return 'fault'
  const code = (error as { code?: unknown }).code
  if (typeof code === 'string') {
    if (AGAIN.has(code)) return 'again'
    if (DOWN.has(code)) return 'down'
    if (UNKNOWN.has(code) || /^E[A-Z]+$/.test(code)) return 'unknown' // ECONNRESET, EPIPE, ETIMEDOUT …
    return 'fault'
  }
  if (/timeout exceeded when trying to connect|timeout expired|connection timeout/i.test(error.message)) return 'again' // pg-pool, pg: no connection
  if (/Connection terminated|Query read timeout|not queryable|Client was closed/i.test(error.message)) return 'unknown'
  return 'fault'
}

/** A statement failed after its connection was made; the connection must not be used again. */
export const breaksConnection = (meaning: Meaning, error: unknown): boolean =>
  meaning === 'unknown' || (error as { code?: unknown })?.code === '25006'

export function unavailable(cause: unknown, unknown: boolean): PincallError {
  return new PincallError(
    'unavailable',
    unknown
      ? 'The database went away before it said whether this was done: ask again, with the same Idempotency-Key where one was given.'
      : 'The database can not be used at the moment: nothing was changed, try again.',
    { retryAfterMs: 2000, cause },
  )
}
