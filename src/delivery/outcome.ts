import type { Disposition } from '../store/types.ts'
import type { CallResult } from '../voice/index.ts'

/** What an ended attempt means: how it counts, and whether another route may be tried. */
export type Outcome = {
  disposition: Disposition
  /** Another trunk may be tried: only ever after a failure which proves that the phone did not ring. */
  tryNext: boolean
}

export type Circumstances = {
  /** The trunk ran at its own calls-per-second limit when the call was begun. */
  atRateLimit: boolean
  /** INVITE to the final answer. */
  elapsedMs: number
}

/** A 486 sooner than this, never ringing, from a trunk at its limit, is the trunk's own: nobody's phone was asked. */
const QUICK_MS = 500

/** SIP status → disposition, for failures before any answer (spec/resend-over-voice.md; RFC 3261 §21; RFC 8197, 8688). */
const BY_STATUS: Record<number, Disposition> = {
  404: 'number_unknown',
  410: 'number_unknown',
  480: 'no_answer',
  484: 'number_unknown',
  486: 'busy',
  487: 'no_answer', // ended on the far side while it rang: our own CANCEL is told apart before
  600: 'busy',
  603: 'declined',
  604: 'number_unknown',
  607: 'declined',
  608: 'declined',
}

/** Q.850 cause → disposition where the gateway's SIP status says less (RFC 3326, ITU-T Q.850). */
const BY_CAUSE: Record<number, Disposition> = {
  1: 'number_unknown',
  17: 'busy',
  18: 'no_answer',
  19: 'no_answer',
  20: 'no_answer',
  21: 'declined',
  22: 'number_unknown',
  28: 'number_unknown',
}

/** Statuses whose meaning no cause changes: they are the callee's own word. */
const FINAL_WORD = new Set([486, 600, 603, 607, 608])

export function outcomeOf(result: CallResult, circumstances: Circumstances): Outcome {
  const { end } = result
  if (end.kind !== 'failed') return { disposition: END[end.kind], tryNext: false }
  const { status, q850, rang, local } = end.failure
  const failed = (disposition: Disposition): Outcome => ({
    disposition,
    tryNext: disposition === 'trunk_failed' && !rang && status !== 487,
  })
  switch (local) {
    case 'ring_timeout':
      return { disposition: rang ? 'no_answer' : 'trunk_failed', tryNext: false } // it may have rung without saying so
    case 'no_response':
    case 'unreachable':
      return failed('trunk_failed')
    case 'cancelled':
    case 'closed':
      return { disposition: 'abandoned', tryNext: false }
  }
  const quick = circumstances.atRateLimit && !rang && circumstances.elapsedMs < QUICK_MS
  if (status === 486 && quick) return { disposition: 'trunk_failed', tryNext: false }
  if (FINAL_WORD.has(status)) return failed(BY_STATUS[status])
  const byCause = q850 === undefined ? undefined : BY_CAUSE[q850]
  if (byCause) return failed(byCause)
  if (status === 408 && rang) return failed('no_answer')
  return failed(BY_STATUS[status] ?? 'trunk_failed')
}

const END: Record<Exclude<CallResult['end']['kind'], 'failed'>, Disposition> = {
  heard: 'heard',
  machine: 'machine',
  lost: 'lost',
  no_media: 'no_media',
  no_common_codec: 'no_common_codec',
  stopped: 'abandoned',
}
