import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LANGUAGES, parseLanguage } from '../language.ts'
import { DISPOSITIONS } from '../store/index.ts'
import { REFUSALS } from '../verification/index.ts'
import { allowedBy, isAddressOrBlock } from './allowed-ips.ts'
import { CALL_STATUSES, spell, statusOfDelivery, statusOfRefusal } from './call-status.ts'
import { formatDuration, formatLimit, parseDuration, parseLimit } from './durations.ts'
import { readPrefer } from './prefer.ts'
import { readFlag } from './query-flags.ts'

test('a time is a length and a unit; without a length it is one', () => {
  const table: [string, number | undefined][] = [
    ['15m', 900_000],
    ['m', 60_000],
    ['3s', 3000],
    ['250ms', 250],
    ['1h', 3_600_000],
    ['365d', 31_536_000_000],
    ['007s', 7000],
    ['0s', undefined],
    ['', undefined],
    ['5', undefined],
    ['5w', undefined],
    ['-5m', undefined],
    ['1.5h', undefined],
    [' 5m', undefined],
    ['5M', undefined],
    ['999999999999999d', undefined],
    ['9999999999999999999999s', undefined],
  ]
  for (const [text, ms] of table) assert.equal(parseDuration(text), ms, text)
})

test('a limit is so many in a time, and never none', () => {
  const table: [string, [number, number] | undefined][] = [
    ['1/3s', [1, 3000]],
    ['3/d', [3, 86_400_000]],
    ['10000/1d', [10_000, 86_400_000]],
    ['0/1d', undefined],
    ['0/0d', undefined],
    ['3/0d', undefined],
    ['3', undefined],
    ['/1d', undefined],
    ['3/', undefined],
    ['3/1d/2', undefined],
    ['99999999999/1d', undefined],
  ]
  for (const [text, expected] of table) {
    const limit = expected && { count: expected[0], windowMs: expected[1] }
    assert.deepEqual(parseLimit(text), limit, text)
  }
})

test('what was given in milliseconds is written with the largest unit that fits', () => {
  const table: [number, string][] = [
    [900_000, '15m'],
    [86_400_000, '1d'],
    [3000, '3s'],
    [1500, '1500ms'],
    [90_000, '90s'],
    [5_400_000, '90m'],
  ]
  for (const [ms, text] of table) {
    assert.equal(formatDuration(ms), text)
    assert.equal(parseDuration(text), ms)
  }
  assert.equal(formatLimit({ count: 3, windowMs: 86_400_000 }), '3/1d')
})

test('Prefer is read as RFC 7240 writes it', () => {
  const table: [string | undefined, number | undefined, string | undefined][] = [
    [undefined, undefined, undefined],
    ['', undefined, undefined],
    ['respond-async', 0, 'respond-async'],
    ['Respond-Async', 0, 'respond-async'],
    ['wait=10', 10_000, 'wait=10'],
    ['wait="10"', 10_000, 'wait=10'],
    ['wait=0', 0, 'wait=0'],
    ['wait=9999', 120_000, 'wait=120'],
    ['respond-async, wait=5', 5000, 'respond-async, wait=5'],
    ['wait=5; respond-async', 5000, 'respond-async, wait=5'],
    ['wait=7, wait=8', 7000, 'wait=7'],
    ['wait=-1', undefined, undefined],
    ['wait=soon, return=minimal', undefined, undefined],
  ]
  for (const [header, waitMs, applied] of table) assert.deepEqual(readPrefer(header), { waitMs, applied }, header)
})

test('booleans of the query are read as clients write them', () => {
  for (const text of [undefined, '', ' ', 'undefined', 'null', 'None']) assert.equal(readFlag('x', text), undefined)
  for (const text of ['true', 'True', 'TRUE', '1']) assert.equal(readFlag('x', text), true)
  for (const text of ['false', 'False', '0']) assert.equal(readFlag('x', text), false)
  assert.throws(() => readFlag('verified', 'maybe'), {
    code: 'invalid',
    fields: { verified: ['must be true or false'] },
  })
})

test('all 22 languages are read in both spellings and written with an underscore', () => {
  assert.equal(LANGUAGES.length, 22)
  for (const language of LANGUAGES) {
    assert.equal(parseLanguage(language), language)
    assert.equal(parseLanguage(language.replace('_', '-')), language)
    assert.equal(parseLanguage(language.toUpperCase()), language)
  }
  for (const text of ['', 'xx', 'en_us', 'pt', '__proto__']) assert.equal(parseLanguage(text), undefined)
})

test('every disposition and every refusal has a status, and every status two names', () => {
  const told = new Set([
    ...DISPOSITIONS.map((disposition) => statusOfDelivery({ disposition })),
    ...REFUSALS.map(statusOfRefusal),
    statusOfDelivery({}),
  ])
  assert.deepEqual([...told].sort(), [...CALL_STATUSES].sort(), 'each of the eleven can be produced')
  const names = CALL_STATUSES.map((status) => spell(status, 2))
  assert.equal(new Set(names).size, 11)
  assert.equal(spell('PROCESSED', 1), 'PROCESSED')
  for (const name of names) assert.match(name, /^[A-Z_]+$/)
})

test('a key’s addresses may be single ones or blocks, of both families', () => {
  for (const text of ['10.0.0.1', '10.0.0.0/8', '::1', '2001:db8::/32'])
    assert.equal(isAddressOrBlock(text), true, text)
  for (const text of ['', 'x', '10.0.0.1/33', '10.0.0/8', '10.0.0.1/', '::1/129', '1.2.3.4/8/8']) {
    assert.equal(isAddressOrBlock(text), false, text)
  }
  assert.equal(allowedBy([]), undefined)
  const allows = allowedBy(['10.0.0.0/8', '2001:db8::1'])!
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::1']) assert.equal(allows(address), true, address)
  for (const address of ['11.0.0.1', '2001:db8::2', '', 'x']) assert.equal(allows(address), false, address)
})
