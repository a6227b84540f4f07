import type { Numbers } from '../numbers.ts'
import type { CheckResult, CountCheck } from '../types.ts'
import type { Database } from './database.ts'
import { prepareWriteEvent } from './events.ts'
import { prepareRaiseCounters } from './raise-counters.ts'
import type { Tx } from './write-queue.ts'

type PinRow = {
  to_sealed: string
  expires_at: number
  max_checks: number
  checks: number
  allow_multiple: number
  verified_at: number | null
}

/**
 * Counts a guess and says what it was worth. A queue slot is alone with the database, so that one of many racing right
 * guesses is the first. The number's limit counts every guess of a PIN that exists; the PIN's own checks only those that
 * could still verify it.
 */
export function prepareCountCheck(database: Database, numbers: Numbers): (check: CountCheck, tx: Tx) => CheckResult {
  const raiseCounters = prepareRaiseCounters(database, numbers)
  const writeEvent = prepareWriteEvent(database)
  const findPin = database.prepare<PinRow>(`
    SELECT to_sealed, expires_at, max_checks, checks, allow_multiple, verified_at FROM pins
    WHERE pin_id = ? AND account_id = ?`)
  const countWrong = database.prepare('UPDATE pins SET checks = checks + 1 WHERE pin_id = ?')
  const countFirst = database.prepare(
    'UPDATE pins SET checks = checks + 1, verified_at = ? WHERE pin_id = ? AND verified_at IS NULL',
  )

  return ({ accountId, pinId, matches, counted, now }, tx) => {
    const pin = findPin.get(pinId, accountId)
    if (!pin) return { kind: 'not_found' }
    const limited = raiseCounters(counted, now)
    if (limited) return tx.refuse(limited)
    const to = numbers.open(pin.to_sealed, pinId)
    const checksLeft = pin.max_checks - pin.checks
    if (pin.expires_at <= now) return { kind: 'expired', checksLeft, to }
    if (pin.verified_at !== null && !pin.allow_multiple) return { kind: 'used', to }
    if (checksLeft < 1) return { kind: 'exhausted', to }
    if (!matches) {
      countWrong.run(pinId)
      return { kind: 'wrong', checksLeft: checksLeft - 1, to }
    }
    if (pin.verified_at !== null) return { kind: 'right', first: false, to }
    countFirst.run(now, pinId)
    tx.tell(writeEvent({ accountId, kind: 'pin.verified', at: now, pinId, data: {} }))
    return { kind: 'right', first: true, to }
  }
}
