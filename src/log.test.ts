import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PincallError } from './errors.ts'
import { makeLog } from './log.ts'

function logged(fields: object): Record<string, unknown> {
  let line = ''
  const write = (text: string) => {
    line += text
  }
  makeLog({ destination: { write } }).info(fields, 'x')
  return JSON.parse(line)
}

test('secrets are cut out by their names, however deep; numbers lose their last four digits', () => {
  const { code, request, to, caller } = logged({
    code: '123456',
    request: { headers: { authorization: 'App k' }, password: 'p' },
    to: '41793026727',
    caller: '447700900123',
  })
  assert.equal(code, '[redacted]')
  assert.deepEqual(request, { headers: { authorization: '[redacted]' }, password: '[redacted]' })
  assert.deepEqual([to, caller], ['4179302****', '44770090****'])
})

test('an error keeps its own code', () => {
  const { err } = logged({ err: new PincallError('unavailable', 'The database is busy.') })
  assert.equal((err as { errorCode: string }).errorCode, 'unavailable')
})
