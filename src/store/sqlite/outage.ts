import { PincallError } from '../../errors.ts'

/** SQLite's result codes (sqlite.org/rescode.html) that are the database's trouble, not the request's. */
const OUTAGES: Record<number, string> = {
  5: 'another program holds it', // BUSY
  6: 'another program holds it', // LOCKED
  7: 'the machine has no memory left', // NOMEM
  8: 'it can only be read', // READONLY
  10: 'the disk fails', // IOERR
  11: 'the file is damaged', // CORRUPT
  13: 'the disk is full', // FULL
  14: 'the file can not be opened', // CANTOPEN
}

function reasonOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  return typeof code === 'number' ? OUTAGES[code & 0xff] : undefined
}

export const isOutage = (error: unknown): boolean => reasonOf(error) !== undefined

/** What is wrong, for whoever watches the service. */
export const sentenceOf = (error: unknown): string => `The database can not write: ${reasonOf(error) ?? 'see the log'}.`

export const unavailable = (cause: unknown): PincallError =>
  new PincallError('unavailable', `${sentenceOf(cause)} Nothing was changed, try again.`, { retryAfterMs: 1000, cause })
