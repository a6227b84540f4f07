import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillText } from './text.ts'

test('a template says everything but the code, whatever it calls the code’s place', () => {
  assert.equal(fillText({ text: 'Hi {{name}}, <pin>!', placeholder: '<pin>' }, { name: 'Anna' }), 'Hi Anna, {{pin}}!')
  assert.equal(fillText({ text: 'Your pin is {{pin}}', placeholder: '{{pin}}' }), 'Your pin is {{pin}}')
})

test('a placeholder without a value is refused by its name, not spoken with its braces', () => {
  assert.throws(() => fillText({ text: '{{name}} {{pin}}', placeholder: '{{pin}}' }), {
    fields: { 'placeholders.name': ['is used by the message template: give it a value'] },
  })
})

test('what a caller fills in can not bring in another code’s place or another placeholder’s value', () => {
  assert.equal(
    fillText({ text: '{{a}} {{b}} {{pin}}', placeholder: '{{pin}}' }, { a: '{{b}}', b: 'x' }),
    '{{b}} x {{pin}}',
  )
})
