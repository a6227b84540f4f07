import type { Language } from './types.ts'

/** Longer than any prompt that fits into a call; a template's author is told before the phone rings. */
export const LONGEST_TEXT = 1000

/** Japanese without a dictionary reads kana only; these are the words that messages with codes are made of. */
const KANA: readonly (readonly [string, string])[] = [
  ['認証', 'にんしょう'],
  ['確認', 'かくにん'],
  ['暗証', 'あんしょう'],
  ['番号', 'ばんごう'],
  ['電話', 'でんわ'],
  ['登録', 'とうろく'],
  ['入力', 'にゅうりょく'],
  ['本人', 'ほんにん'],
  ['有効', 'ゆうこう'],
  ['期限', 'きげん'],
  ['下さい', 'ください'],
  ['分間', 'ふんかん'],
]

/** "PIN" in capitals is spelled out; written small it is read by the rules of the language, so some need a help. */
const PIN_WORDS: Partial<Record<Language, string>> = { de: 'Pinn', fr: 'pinne', sv: 'pinn', ja: 'ピン' }

/** A text as an engine should be given it: one line, no mark-up, words that are spelled as they sound. */
export function spokenForm(language: Language, text: string): string {
  let spoken = text
    .normalize('NFC')
    .replace(/\p{C}/gu, ' ') // control and format characters
    .replace(/[<>&[\]{}|^~`\\]/g, ' ') // mark-up of engines: SSML, phonemes
    .replace(/\bPIN(s?)\b/g, `${PIN_WORDS[language] ?? 'pin'}$1`)
  if (language === 'ja') {
    for (const [kanji, kana] of KANA) spoken = spoken.replaceAll(kanji, kana)
    spoken = spoken.replace(/は(?=[\s、。:：]|$)/g, 'わ') // the particle
  }
  return spoken.replace(/\s+/g, ' ').trim()
}

/** Flite knows ASCII only: accents fall off, the rest is left out. */
export const asciiForm = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/[^ -~]/g, '')
    .trim()

const HAN = /\p{Script=Han}/u
const LETTER = /\p{L}/u
const OWN_SCRIPT: Partial<Record<Language, RegExp>> = {
  ja: /\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Latin}/u,
  ko: /\p{Script=Hangul}|\p{Script=Latin}/u,
  ru: /\p{Script=Cyrillic}|\p{Script=Latin}/u,
  zh_cn: /\p{Script=Han}|\p{Script=Latin}/u,
  zh_tw: /\p{Script=Han}|\p{Script=Latin}/u,
}

/** Whether the voices of a language can read this text. Where not, a call uses a message of ours instead. */
export function canRead(language: Language, text: string): boolean {
  const spoken = spokenForm(language, text.replaceAll('{{pin}}', ' '))
  if (language === 'ja' && HAN.test(spoken)) return false
  return !LETTER.test(spoken) || (OWN_SCRIPT[language] ?? /\p{Script=Latin}/u).test(spoken)
}
