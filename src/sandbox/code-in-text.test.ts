import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeIn } from './code-in-text.ts'

const TEXTS: [text: string, code: string | undefined][] = [
  ['Your code is 481920.', '481920'],
  ['481920', '481920'],
  ['Hello Anna, your pin is 0042', '0042'],
  ['Hello Anna, A1B2KX7Z', 'A1B2KX7Z'],
  ['Your PIN is KXQZ', 'KXQZ'],
  ['ACME: KXQZRT is your code', 'KXQZRT'],
  ['123456 is your verification code for Shop24. Valid for 10 minutes.', '123456'],
  ['Your code: 7', '7'],
  ['<#> Your ACME code is 9F03A7\nFA+9qCX9VSu', '9F03A7'],
  ['@example.com #747723\n\n747723 is your code.', '747723'],
  ['Order 20261 of 2026-11-23: use code 8213 within 15 minutes', '8213'],
  ['Call +41 79 302 67 27 if this was not you. Code: 5519', '5519'],
  ['Pay 1200 € with code 4455', '4455'],
  ['Never share it! PIN=90017 https://example.com/123456', '90017'],
  ['Ihr Code lautet 55AB9. Gültig bis 18:30 Uhr.', '55AB9'],
  ['Su código es 004512. Caduca en 5 min', '004512'],
  ['Votre code : 8841', '8841'],
  ['コードは 739201 です', '739201'],
  ['您的验证码是：660183。5分钟内有效', '660183'],
  ['Код подтверждения: 310775', '310775'],
  ['I am late', undefined],
  ['', undefined],
  ['We open at 10:30 and close at 18:00', undefined],
]

for (const [text, code] of TEXTS) {
  test(`the code in ${JSON.stringify(text)} is ${code}`, () => {
    assert.equal(codeIn(text), code)
  })
}

test('a text as long as ten messages, made to be slow to read, is read at once', () => {
  const begun = performance.now()
  codeIn(`${'A1.'.repeat(500)} code ${'9'.repeat(2000)} ${'is '.repeat(500)}`)
  assert.ok(performance.now() - begun < 200)
})
