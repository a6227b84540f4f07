import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HANDSETS, handsetFor, hasSpeechFault } from './handsets.ts'

/** The table of issue 2: ending → v1 status. */
const PROMISED: Record<string, string> = {
  90: 'ANSWERED_MACHINE',
  91: 'ERROR_USER_BUSY',
  92: 'ERROR_NO_ANSWER',
  93: 'ERROR_NETWORK_NOT_AVAILABLE',
  94: 'ERROR_ROUTE_NOT_AVAILABLE',
  95: 'ERROR_USER_BUSY',
  96: 'UNDEFINED',
  97: 'PROCESSED',
  98: 'PROCESSED',
  99: 'ERROR',
}

test('the last two digits of a number choose its handset, and with it how a call ends', () => {
  for (let last = 0; last < 100; last++) {
    const ending = String(last).padStart(2, '0')
    assert.equal(handsetFor(`417930267${ending}`).callStatus, PROMISED[ending] ?? 'PROCESSED', ending)
  }
})

test('numbers that end in 90 to 99 are told apart from all others, which have a person', () => {
  assert.deepEqual(
    HANDSETS.map(({ ending }) => ending),
    [...Object.keys(PROMISED), undefined],
  )
  assert.equal(handsetFor('41793026700').name, 'person')
  assert.equal(handsetFor('41793026789').ending, undefined)
})

test('only a number that ends in 99 has a fault in its speech', () => {
  assert.ok(hasSpeechFault('41793026799'))
  assert.ok(!hasSpeechFault('41799926798'))
})
