/**
 * Every error that Pincall raises on purpose, declared once. The code is for programs and metrics, the sentence for
 * people: it says what was wrong and, where something can be done, what. `api/error-body.ts` turns codes into the wire's
 * envelope; nothing else decides on HTTP statuses.
 */
export const ERROR_CODES = [
  'invalid', // the request's content does not meet the contract; `fields` says where
  'unauthenticated',
  'forbidden',
  'not_found',
  'application_disabled',
  'pin_closed', // expired, used up or already verified: it can not be sent again
  'limited', // a limit or a cool-down; `retryAfterMs` says for how long
  'idempotency_mismatch', // the same Idempotency-Key with another request
  'unavailable', // the service can not do it now: draining, store busy
  'too_large',
  'unsupported_media_type',
  'configuration', // a setting is wrong: the program does not start
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

export class PincallError extends Error {
  override readonly name = 'PincallError'
  readonly code: ErrorCode
  /** Wire path of a field → what is wrong with it, e.g. `messageText` → `must contain {{pin}}`. */
  readonly fields: Record<string, string[]> | undefined
  readonly retryAfterMs: number | undefined

  constructor(
    code: ErrorCode,
    sentence: string,
    detail: { fields?: Record<string, string[]>; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(sentence, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.fields = detail.fields
    this.retryAfterMs = detail.retryAfterMs
  }
}

/** Whether the database, or the server, could not do it now: later it may. */
export const isUnavailable = (error: unknown): boolean => error instanceof PincallError && error.code === 'unavailable'

/** A wrong field of a request, named as the wire names it. */
export const invalid = (field: string, sentence: string): PincallError =>
  new PincallError('invalid', `${field} ${sentence}`, { fields: { [field]: [sentence] } })

export const notFound = (what: string): PincallError => new PincallError('not_found', `${what} cannot be found.`)
