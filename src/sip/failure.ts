import { q850Of, secondsOf } from './headers.ts'
import type { SipResponse } from './message.ts'
import { fromWire } from './text.ts'
import type { CallFailure } from './types.ts'

export type LocalCause = NonNullable<CallFailure['local']>

/** What a failure says when it was made here and not by the far end. */
const LOCAL: Record<LocalCause, { status: number; reason: string }> = {
  no_response: { status: 408, reason: 'Nothing came back' },
  ring_timeout: { status: 408, reason: 'Nobody answered in time' },
  cancelled: { status: 487, reason: 'Request Terminated' },
  closed: { status: 487, reason: 'The endpoint was closed' },
  unreachable: { status: 503, reason: 'Nobody listens there' },
}

export const localFailure = (local: LocalCause, rang: boolean): CallFailure => ({ ...LOCAL[local], local, rang })

export function failureOf(response: SipResponse, rang: boolean): CallFailure {
  const q850 = q850Of(response.headers)
  const retryAfterS = secondsOf(response.headers.get('retry-after'))
  return {
    status: response.status,
    reason: fromWire(response.reason),
    ...(q850 !== undefined && { q850 }),
    ...(retryAfterS !== undefined && { retryAfterS }),
    rang,
  }
}
