import { type ErrorCode, PincallError } from '../errors.ts'
import type { Version } from './types.ts'
import { type FastifyValidationFailure, fieldsOf, isValidationFailure, sentenceOf } from './validation-errors.ts'

/** The one error shape of the contract (§3.1). Clients parse it strictly: nothing may be added. */
export type ErrorBody = {
  requestError: {
    serviceException: { messageId: string; text: string; validationErrors?: Record<string, string[]> }
  }
}

export type WireError = { status: number; body: ErrorBody; retryAfterS?: number; unexpected: boolean }

type Named = { status: number; v1: string; v2: string }

const BAD_REQUEST: Named = { status: 400, v1: 'INVALID_ARGUMENT', v2: 'BAD_REQUEST' }
const INTERNAL: Named = { status: 500, v1: 'GENERAL_EXCEPTION', v2: 'GENERAL_ERROR' }

/** Our codes → HTTP status and the names of both versions (contract §3.2). */
const NAMES: Record<ErrorCode, Named> = {
  invalid: BAD_REQUEST,
  unauthenticated: { status: 401, v1: 'UNAUTHORIZED', v2: 'UNAUTHORIZED' },
  forbidden: { status: 403, v1: 'UNAUTHORIZED', v2: 'FORBIDDEN' },
  not_found: { status: 404, v1: 'RESOURCE_NOT_FOUND', v2: 'NOT_FOUND' },
  application_disabled: BAD_REQUEST,
  pin_closed: BAD_REQUEST,
  limited: { status: 429, v1: 'THROTTLE_EXCEPTION', v2: 'TOO_MANY_REQUESTS' },
  idempotency_mismatch: { ...BAD_REQUEST, status: 422 },
  unavailable: { status: 503, v1: 'SERVICE_UNAVAILABLE', v2: 'SERVICE_UNAVAILABLE' },
  too_large: { ...BAD_REQUEST, status: 413 },
  unsupported_media_type: { ...BAD_REQUEST, status: 415 },
  configuration: INTERNAL,
}

/** What Fastify itself refuses, by its error code. */
const FASTIFY: Record<string, [code: ErrorCode, sentence: string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['too_large', 'The body is larger than the limit of 64 KiB: send less.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid', 'The body is not as long as its Content-Length says.'],
  FST_ERR_BAD_URL: ['invalid', 'The address can not be read: check its percent-encoding.'],
  FST_ERR_MAX_PARAM_LENGTH: ['not_found', 'No such id exists: ids are shorter.'],
}

const INTERNAL_TEXT = 'Something went wrong. Please contact support.'
/** Where nothing says how long to wait. */
const RETRY_AFTER_MS = 5000

/** The version whose dialect an address speaks; what is of no version speaks the newer. */
export const versionOf = (url: string): Version => (url.startsWith('/2fa/1/') || url === '/2fa/1' ? 1 : 2)

/** Whatever was thrown, as the wire tells it. Only declared errors are told in words. */
export function wireError(error: unknown, version: Version): WireError {
  if (error instanceof PincallError) return ofPincall(error, version)
  if (isValidationFailure(error)) return ofValidation(error, version)
  const known = FASTIFY[(error as { code?: string } | undefined)?.code ?? '']
  if (known) return ofPincall(new PincallError(...known), version)
  const status = (error as { statusCode?: number } | undefined)?.statusCode ?? 500
  if (status >= 400 && status < 500) {
    return ofPincall(new PincallError('invalid', 'The request can not be read.'), version)
  }
  return told(INTERNAL, version, INTERNAL_TEXT, {})
}

function ofPincall(error: PincallError, version: Version): WireError {
  const named = NAMES[error.code]
  if (named === INTERNAL) return told(INTERNAL, version, INTERNAL_TEXT, {})
  const text = error.fields ? sentenceOf(error.fields) : error.message
  return told(named, version, text, { fields: error.fields, retryAfterMs: error.retryAfterMs })
}

function ofValidation(error: FastifyValidationFailure, version: Version): WireError {
  const fields = fieldsOf(error)
  return told(BAD_REQUEST, version, sentenceOf(fields), { fields })
}

function told(
  named: Named,
  version: Version,
  text: string,
  detail: { fields?: Record<string, string[]> | undefined; retryAfterMs?: number | undefined },
): WireError {
  const { fields, retryAfterMs = RETRY_AFTER_MS } = detail
  const waits = named.status === 429 || named.status === 503
  return {
    status: named.status,
    unexpected: named === INTERNAL,
    body: {
      requestError: {
        serviceException: {
          messageId: version === 1 ? named.v1 : named.v2,
          text,
          ...(fields && { validationErrors: fields }),
        },
      },
    },
    ...(waits && { retryAfterS: Math.max(1, Math.ceil(retryAfterMs / 1000)) }),
  }
}
