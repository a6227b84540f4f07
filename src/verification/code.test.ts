import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRandom } from '../random.ts'
import { PIN_TYPES } from '../store/types.ts'
import { codeKeys, codeOf, guessMatches } from './code.ts'
import { timedId } from './ids.ts'

const keys = codeKeys([
  { id: 'k2', key: Buffer.alloc(32, 2) },
  { id: 'k1', key: Buffer.alloc(32, 1) },
])
const pin = { pinId: '9C817C6F8AF3D48F9FE553282AFA2B67', codeKeyId: 'k2', pinType: 'NUMERIC' as const, pinLength: 6 }

test('the same PIN has the same code every time, and another PIN or key another', () => {
  assert.equal(codeOf(keys, pin), codeOf(keys, { ...pin }))
  assert.notEqual(codeOf(keys, { ...pin, pinLength: 8 }), codeOf(keys, { ...pin, pinLength: 8, codeKeyId: 'k1' }))
})

test('after a rotation a PIN made with the old key still has its code', () => {
  const before = codeKeys([{ id: 'k1', key: Buffer.alloc(32, 1) }])
  const old = { ...pin, codeKeyId: 'k1' }
  assert.equal(codeOf(keys, old), codeOf(before, old))
})

test('a code has the length and the characters of its type', () => {
  const shapes = { NUMERIC: /^[0-9]+$/, ALPHA: /^[A-Z]+$/, HEX: /^[0-9A-F]+$/, ALPHANUMERIC: /^[0-9A-Z]+$/ }
  for (const pinType of PIN_TYPES) {
    for (let pinLength = 1; pinLength <= 8; pinLength++) {
      const code = codeOf(keys, { ...pin, pinType, pinLength })
      assert.equal(code.length, pinLength)
      assert.match(code, shapes[pinType])
    }
  }
})

test('letters that are taken for others never stand in a code with letters', () => {
  for (let i = 0; i < 500; i++) {
    const pinId = timedId(systemRandom, i)
    assert.doesNotMatch(codeOf(keys, { ...pin, pinId, pinType: 'ALPHANUMERIC', pinLength: 8 }), /[01ILO]/)
    assert.doesNotMatch(codeOf(keys, { ...pin, pinId, pinType: 'ALPHA', pinLength: 8 }), /[ILO]/)
  }
})

test('every digit is equally likely (chi-squared over 80,000 digits)', () => {
  const counts = new Array(10).fill(0)
  for (let i = 0; i < 10_000; i++) {
    for (const digit of codeOf(keys, { ...pin, pinId: `PIN-${i}`, pinLength: 8 })) counts[Number(digit)]++
  }
  const chi2 = counts.reduce((sum, count) => sum + (count - 8000) ** 2 / 8000, 0)
  assert.ok(chi2 < 27.9, `chi-squared ${chi2} (p < 0.001 above 27.9 with 9 degrees of freedom)`)
})

test('a guess is right in either case and with spaces, and nothing else is', () => {
  const letters = { ...pin, pinType: 'ALPHANUMERIC' as const }
  const code = codeOf(keys, letters)
  assert.ok(guessMatches(keys, letters, code))
  assert.ok(guessMatches(keys, letters, ` ${code.slice(0, 3)} ${code.slice(3).toLowerCase()}`))
  assert.ok(!guessMatches(keys, letters, code.slice(1)))
  assert.ok(!guessMatches(keys, letters, `${code}0`))
  assert.ok(!guessMatches(keys, letters, `${code}\0`))
  assert.ok(!guessMatches(keys, letters, code + ' '.repeat(80) + code))
  assert.ok(!guessMatches(keys, letters, 'é'.repeat(100)))
  assert.ok(!guessMatches(keys, letters, ''))
})

test('a PIN whose key is gone says so instead of having another code', () => {
  assert.throws(() => codeOf(keys, { ...pin, codeKeyId: 'lost' }), /master key lost is gone/)
})

test('pinIds are 32 upper-case hex characters and sort by their time', () => {
  const ids = [1_000, 1_764_000_000_000, 1_764_000_000_001].map((now) => timedId(systemRandom, now))
  for (const id of ids) assert.match(id, /^[0-9A-F]{32}$/)
  assert.deepEqual([...ids].sort(), ids)
})
