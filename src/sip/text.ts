/**
 * Inside the room a header is a string of bytes (latin1), so that what a peer wrote in whatever encoding is echoed
 * byte by byte. Texts of ours enter by `toWire`, texts of theirs leave by `fromWire`: SIP's charset is UTF-8.
 */
const ASCII = /^[\x20-\x7e\t]*$/
const LINE_BREAK = /[\r\n\0]/

/** A text of our own for a header. A line break in it would forge headers: that is the caller's mistake. */
export function toWire(text: string): string {
  if (ASCII.test(text)) return text
  if (LINE_BREAK.test(text)) throw new TypeError('a SIP header value holds no line break')
  return Buffer.from(text, 'utf8').toString('latin1')
}

export function fromWire(bytes: string): string {
  return ASCII.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8')
}

/** `quoted-string` of RFC 3261 §25.1. */
export const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

export function unquote(text: string): string {
  if (!text.startsWith('"')) return text
  return text.slice(1, text.endsWith('"') && text.length > 1 ? -1 : undefined).replace(/\\(.)/g, '$1')
}

/** The place of `wanted` outside quotes and angle brackets, from `from` on; −1 where there is none. */
export function indexOutside(text: string, wanted: string, from = 0): number {
  let brackets = false
  for (let i = from; i < text.length; i++) {
    const char = text[i]
    if (char === wanted && !brackets) return i
    if (char === '"') {
      i = endOfQuoted(text, i)
      if (i === -1) return -1
    } else if (char === '<') brackets = true
    else if (char === '>') brackets = false
  }
  return -1
}

/** The place of the quote that closes the one at `open`; −1 where it is never closed. */
export function endOfQuoted(text: string, open: number): number {
  for (let i = open + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') return i
  }
  return -1
}

/** Splits the values that stand in one header line, divided by commas (RFC 3261 §7.3.1). */
export function splitList(value: string, divider = ','): string[] {
  if (!value.includes(divider)) return value === '' ? [] : [value]
  const parts: string[] = []
  let start = 0
  for (;;) {
    const end = indexOutside(value, divider, start)
    const part = value.slice(start, end === -1 ? undefined : end).trim()
    if (part) parts.push(part)
    if (end === -1) return parts
    start = end + 1
  }
}

/** `;name=value;flag` → name in lower case → value with its quotes off (a flag's is ''). The first of equals counts. */
export function parseParams(text: string): Map<string, string> {
  const params = new Map<string, string>()
  if (text === '') return params
  for (const part of splitList(text, ';')) {
    const equals = part.indexOf('=')
    const name = (equals === -1 ? part : part.slice(0, equals)).trim().toLowerCase()
    const value = equals === -1 ? '' : unquote(part.slice(equals + 1).trim())
    if (name && !params.has(name)) params.set(name, value)
  }
  return params
}
