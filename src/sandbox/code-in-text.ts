/**
 * Finds the code in a text message as its reader would, knowing neither template nor code. Codes are 1–8 characters of
 * 0–9 and A–Z. Every such word of the text gets points for looking like a code and for standing where codes stand; the
 * most points win, and of equals the last.
 */
export function codeIn(text: string): string | undefined {
  let best: { word: string; points: number } | undefined
  for (const match of text.matchAll(WORDS)) {
    const [word] = match
    const points = looks(word) + stands(text.slice(0, match.index), text.slice(match.index + word.length))
    if (points > 0 && points >= (best?.points ?? 0)) best = { word, points }
  }
  return best?.word
}

/** Whole words: no part of a lower-case word, an address, an amount or an app's hash. */
const WORDS = /(?<![\p{L}\p{N}_/@+#.:-]|\d[.,])[0-9A-Z]{1,8}(?![\p{L}\p{N}_/@+=-]|[.,:]\d|\.\p{L})/gu

function looks(word: string): number {
  const hasDigit = /\d/.test(word)
  const usualLength = word.length >= 4 ? 2 : 0
  if (/^\d+$/.test(word)) return 2 + usualLength
  return hasDigit ? 2 + usualLength : Math.min(1, usualLength) // SHOUTED words and names are more common than codes of letters
}

/** What comes before a code: its name in the contract's languages, a copula, a colon. */
const NAMES =
  /(?:\b(?:code|codes|código|codigo|codi|codice|kod|koden|kode|koda|koodi|koodin|cod|codul|pin|pinn|otp|passcode|password|token|код|пин)|コード|番号|코드|번호|验证码|驗證碼|码|碼)/iu
const COPULA = /(?:[:：=]|\b(?:is|es|és|er|är|est|ist|è|é|jest|on|je|este|to|—|–)|は|是|은|는)\s*[「“"'‘(]?\s*$/iu
const SENTENCE_END = /[.!?。！？\n]/

const UNITS =
  /^\s*(?:%|€|\$|£|am\b|pm\b|uhr\b|s\b|sec|min|hour|hrs?\b|h\b|day|times\b|minut|stund|tag|heure|jour|hora|día|dia|ore\b|giorn|分|时|時|분|시간)/iu

function stands(before: string, after: string): number {
  const sentence = before.split(SENTENCE_END).at(-1) ?? ''
  const follows = /^\s*(?:is|es|és|er|är|est|ist|è|é|jest|je|este)\b/iu.test(after) && NAMES.test(after)
  return (
    (NAMES.test(sentence) ? 3 : 0) +
    (COPULA.test(before) ? 2 : 0) +
    (follows ? 4 : 0) +
    (UNITS.test(after) ? -6 : 0) +
    (/[€$£]\s?$/.test(before) ? -6 : 0)
  )
}
