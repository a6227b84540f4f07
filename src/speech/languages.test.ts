import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLanguage } from '../language.ts'
import { CHARACTER_SETS, characterName, groupsOf, setsOf } from './characters.ts'
import { canSpeak, keyName, tableOf } from './languages.ts'
import { letterNames } from './letters.ts'
import { asciiForm, canRead, spokenForm } from './spoken-text.ts'
import { LANGUAGES } from './types.ts'

test('every language has words for all digits, letters, keys and phrases of a call', () => {
  for (const language of LANGUAGES) {
    const { digits, keys, signs, greeting, repeat, offerKey, replay, goodbye, message } = tableOf(language)
    assert.equal(new Set(digits.split(' ')).size, 10, `${language}: digits`)
    assert.equal(new Set((keys ?? digits).split(' ')).size, 10, `${language}: keys`)
    assert.equal(signs.split(' ').length, 2, `${language}: signs`)
    assert.equal(new Set(letterNames(language)).size, 26, `${language}: letters`)
    for (const phrase of [greeting, repeat, goodbye]) assert.match(phrase, /^[^{}]{2,}[.。]$/u, language)
    for (const phrase of [offerKey, replay]) assert.equal(phrase.split('{key}').length, 2, language)
    assert.equal(message.split('{{pin}}').length, 2, language)
  }
})

test('no two characters of a language have the same name', () => {
  for (const language of LANGUAGES) {
    const names = [...CHARACTER_SETS.join('')].map((character) => characterName(language, character).toLowerCase())
    assert.equal(new Set(names).size, 36, language)
  }
})

test('no figure is left for an engine to read as an amount', () => {
  for (const language of LANGUAGES) {
    assert.doesNotMatch(JSON.stringify([tableOf(language), letterNames(language)]).replaceAll('espeak', ''), /\d/)
  }
})

test('Japanese is written in kana only', () => {
  const own = JSON.stringify([{ ...tableOf('ja'), espeak: '' }, letterNames('ja')])
  assert.doesNotMatch(own, /\p{Script=Han}/u)
})

test('a language is known in both spellings, and no other is', () => {
  assert.equal(parseLanguage('pt_pt'), 'pt_pt')
  assert.equal(parseLanguage('pt-pt'), 'pt_pt')
  assert.equal(parseLanguage(' ZH-TW '), 'zh_tw')
  for (const unknown of ['', 'xx', 'pt', 'zh', 'en-gb', 'en_us', 'toString', 'pt--pt']) {
    assert.equal(parseLanguage(unknown), undefined, unknown)
    assert.equal(canSpeak(unknown), false, unknown)
  }
  for (const language of LANGUAGES) assert.equal(canSpeak(language), true, language)
})

test('a code is grouped for the ear', () => {
  const grouped = ['1', '12', '123', '1234', '12345', '123456', '1234567', '12345678', '1234567890', ''].map((code) =>
    groupsOf(code).join(' '),
  )
  assert.deepEqual(grouped, [
    '1',
    '12',
    '123',
    '12 34',
    '12 345',
    '123 456',
    '123 4567',
    '1234 5678',
    '123 456 789 0',
    '',
  ])
})

test('whole sets of characters are rendered, whichever of them a code has', () => {
  assert.deepEqual(setsOf('7'), ['0123456789'])
  assert.deepEqual(setsOf('C0FFEE'), ['0123456789', 'ABCDEF'])
  assert.deepEqual(setsOf('ZA'), ['ABCDEF', 'GHIJKLMNOPQRSTUVWXYZ'])
  assert.equal(setsOf('12a4'), undefined)
  assert.equal(setsOf('１２'), undefined)
})

test('keys of the telephone have names, other characters have none', () => {
  assert.equal(keyName('de', '2'), 'Zwei')
  assert.equal(keyName('en', '#'), 'hash')
  assert.equal(keyName('zh_cn', '1'), '一')
  assert.equal(keyName('en', 'A'), undefined)
})

test('a text is written as an engine reads it', () => {
  assert.equal(spokenForm('en', 'Your  PIN is\n<b>now</b>\u0000 [[x]]'), 'Your pin is b now /b x')
  assert.equal(spokenForm('fr', 'Votre PIN'), 'Votre pinne')
  assert.equal(spokenForm('en', 'SPINACH PINs'), 'SPINACH pins')
  assert.equal(spokenForm('ja', '認証番号は '), 'にんしょうばんごうわ')
  assert.equal(asciiForm('Café – naïve'), 'Cafe  naive')
})

test('a text that no voice of its language can read is found out', () => {
  assert.equal(canRead('ja', '認証番号は {{pin}} です'), true)
  assert.equal(canRead('ja', '貴方の秘密は {{pin}}'), false)
  assert.equal(canRead('en', 'Ваш код {{pin}}'), false)
  assert.equal(canRead('ru', 'Ваш код {{pin}}'), true)
  assert.equal(canRead('zh_cn', '您的验证码是{{pin}}'), true)
  assert.equal(canRead('en', '{{pin}}'), true)
})
