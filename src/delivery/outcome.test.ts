import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallFailure } from '../sip/index.ts'
import type { Disposition } from '../store/types.ts'
import type { CallEnd } from '../voice/index.ts'
import { outcomeOf } from './outcome.ts'

type Row = [
  what: string,
  failure: Partial<CallFailure>,
  disposition: Disposition,
  tryNext: boolean,
  quickAtLimit?: boolean,
]

/** Every way an INVITE can fail, and what it means (spec/resend-over-voice.md). */
const rows: Row[] = [
  ['403 from the trunk', { status: 403 }, 'trunk_failed', true],
  ['404', { status: 404 }, 'number_unknown', false],
  ['404 with cause 1', { status: 404, q850: 1 }, 'number_unknown', false],
  ['408 without ringing', { status: 408 }, 'trunk_failed', true],
  ['408 after ringing', { status: 408, rang: true }, 'no_answer', false],
  ['410', { status: 410 }, 'number_unknown', false],
  ['480 after ringing', { status: 480, rang: true }, 'no_answer', false],
  ['480 without ringing: the phone is off', { status: 480 }, 'no_answer', false],
  ['480 that a gateway explains as busy', { status: 480, q850: 17 }, 'busy', false],
  ['484', { status: 484 }, 'number_unknown', false],
  ['486', { status: 486 }, 'busy', false],
  ['486 at once while we run at the trunk’s limit', { status: 486 }, 'trunk_failed', false, true],
  ['486 at the limit, but it rang', { status: 486, rang: true }, 'busy', false, true],
  ['487 that we did not ask for', { status: 487, rang: true }, 'no_answer', false],
  ['488', { status: 488 }, 'trunk_failed', true],
  ['500', { status: 500 }, 'trunk_failed', true],
  ['500 that a gateway explains as an unallocated number', { status: 500, q850: 1 }, 'number_unknown', false],
  ['503', { status: 503 }, 'trunk_failed', true],
  ['503 after ringing: somebody’s phone rang', { status: 503, rang: true }, 'trunk_failed', false],
  ['503 with cause 34, no circuit', { status: 503, q850: 34 }, 'trunk_failed', true],
  ['504', { status: 504 }, 'trunk_failed', true],
  ['600', { status: 600 }, 'busy', false],
  ['603', { status: 603 }, 'declined', false],
  ['603 whose cause says busy: the callee’s word stands', { status: 603, q850: 17 }, 'declined', false],
  ['604', { status: 604 }, 'number_unknown', false],
  ['607', { status: 607 }, 'declined', false],
  ['608', { status: 608 }, 'declined', false],
  ['cause 18 behind a 500', { status: 500, q850: 18, rang: true }, 'no_answer', false],
  ['cause 28, invalid format', { status: 484, q850: 28 }, 'number_unknown', false],
  ['302 to somebody we may not call', { status: 302 }, 'trunk_failed', true],
  ['407 whose credentials are refused', { status: 407 }, 'trunk_failed', true],
  ['nothing came back at all', { status: 408, local: 'no_response' }, 'trunk_failed', true],
  ['the port is closed', { status: 503, local: 'unreachable' }, 'trunk_failed', true],
  ['our ring timer ended it after it rang', { status: 408, local: 'ring_timeout', rang: true }, 'no_answer', false],
  ['our ring timer ended it and it never said ringing', { status: 408, local: 'ring_timeout' }, 'trunk_failed', false],
  ['we were shut down', { status: 487, local: 'closed' }, 'abandoned', false],
]

for (const [what, failure, disposition, tryNext, quickAtLimit = false] of rows) {
  test(`${what} → ${disposition}${tryNext ? ', next route' : ''}`, () => {
    const full: CallFailure = { status: 0, reason: '', rang: false, ...failure }
    const result = { end: { kind: 'failed' as const, failure: full }, evidence: { rang: full.rang, readings: 0 } }
    assert.deepEqual(outcomeOf(result, { atRateLimit: quickAtLimit, elapsedMs: 200 }), { disposition, tryNext })
  })
}

test('no answered call is ever tried over another route', () => {
  const ends: CallEnd['kind'][] = ['heard', 'machine', 'lost', 'no_media', 'no_common_codec', 'stopped']
  for (const kind of ends) {
    const result = { end: { kind } as CallEnd, evidence: { rang: true, readings: 0 } }
    assert.equal(outcomeOf(result, { atRateLimit: true, elapsedMs: 1 }).tryNext, false)
  }
})
