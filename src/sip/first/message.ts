/** SIP messages as bytes and back (RFC 3261 §7, §25). Headers keep their order; names are compared in lower case. */

export type Header = readonly [name: string, value: string]

type Common = { headers: Header[]; body: Uint8Array }
export type SipRequest = Common & { kind: 'request'; method: string; uri: string }
export type SipResponse = Common & { kind: 'response'; status: number; reason: string }
export type SipMessage = SipRequest | SipResponse

/** Why bytes are no message that may be acted on. */
export type Malformed = { kind: 'malformed'; why: string }

const MOST_BYTES = 65_535
const MOST_HEADERS = 128

/** RFC 3261 §7.3.3 and the registry: one-letter forms. */
const COMPACT: Record<string, string> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  n: 'identity-info',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
}

/** Lower-case full name of a header, compact forms spelled out. */
export const nameOf = (name: string): string => {
  const lower = name.toLowerCase()
  return lower.length === 1 ? (COMPACT[lower] ?? lower) : lower
}

const EMPTY = new Uint8Array(0)
const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/

/** Reads one datagram. Never throws: what breaks the grammar is told as `malformed`. */
export function parseMessage(bytes: Uint8Array): SipMessage | Malformed {
  if (bytes.length > MOST_BYTES) return malformed('larger than a datagram')
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const end = buffer.indexOf('\r\n\r\n')
  const head = buffer.toString('utf8', 0, end === -1 ? buffer.length : end)
  const lines = unfold(head)
  const start = startLine(lines[0])
  if (!start) return malformed('no start line')
  if (lines.length > MOST_HEADERS) return malformed('too many headers')
  const headers: Header[] = []
  let length: number | undefined
  for (let i = 1; i < lines.length; i++) {
    const colon = lines[i].indexOf(':')
    if (colon < 1) return malformed('a header without a colon')
    const name = lines[i].slice(0, colon).trimEnd()
    if (!TOKEN.test(name)) return malformed('a header name that is no token')
    const full = nameOf(name)
    const value = lines[i].slice(colon + 1).trim()
    headers.push([full, value])
    if (full === 'content-length') {
      if (!/^\d{1,9}$/.test(value) || (length !== undefined && length !== Number(value)))
        return malformed('a wrong Content-Length')
      length = Number(value)
    }
  }
  const rest = end === -1 ? 0 : buffer.length - end - 4
  if (length !== undefined && length > rest) return malformed('a body shorter than its Content-Length')
  const body = rest > 0 ? buffer.subarray(end + 4, end + 4 + (length ?? rest)) : EMPTY
  return { ...start, headers, body } as SipMessage
}

/** Header lines with folded ones joined (RFC 3261 §7.3.1). */
function unfold(head: string): string[] {
  const lines = head.split('\r\n')
  if (!/\r\n[ \t]/.test(head)) return lines[lines.length - 1] === '' ? lines.slice(0, -1) : lines
  const joined: string[] = []
  for (const line of lines) {
    if (/^[ \t]/.test(line) && joined.length > 1) joined[joined.length - 1] += ` ${line.trim()}`
    else if (line !== '') joined.push(line)
  }
  return joined
}

function startLine(
  line: string,
): { kind: 'request'; method: string; uri: string } | { kind: 'response'; status: number; reason: string } | undefined {
  if (line.startsWith('SIP/2.0 ')) {
    const status = Number(line.slice(8, 11))
    if (!/^\d{3}( |$)/.test(line.slice(8)) || status < 100 || status > 699) return undefined
    return { kind: 'response', status, reason: line.slice(12) }
  }
  const match = /^([A-Za-z0-9\-.!%*_+`'~]{1,32}) (\S{1,2048}) SIP\/2\.0$/i.exec(line)
  return match ? { kind: 'request', method: match[1], uri: match[2] } : undefined
}

const malformed = (why: string): Malformed => ({ kind: 'malformed', why })

/** Writes a message; Content-Length is added from the body. */
export function formatMessage(message: SipMessage): Buffer {
  let head =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0\r\n`
      : `SIP/2.0 ${message.status} ${message.reason}\r\n`
  for (const [name, value] of message.headers) if (name !== 'content-length') head += `${written(name)}: ${value}\r\n`
  head += `Content-Length: ${message.body.length}\r\n\r\n`
  return message.body.length ? Buffer.concat([Buffer.from(head), message.body]) : Buffer.from(head)
}

const SPELLED: Record<string, string> = {
  'call-id': 'Call-ID',
  cseq: 'CSeq',
  rack: 'RAck',
  rseq: 'RSeq',
  'www-authenticate': 'WWW-Authenticate',
}
const written = (name: string): string =>
  SPELLED[name] ?? (/[A-Z]/.test(name) ? name : name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()))

/** First value of a header. */
export function header(message: Common, name: string): string | undefined {
  for (const each of message.headers) if (each[0] === name) return each[1]
  return undefined
}

/** All values of a header in order, comma-joined ones apart (RFC 3261 §7.3.1), quotes and angle brackets respected. */
export function headerValues(message: Common, name: string): string[] {
  const values: string[] = []
  for (const each of message.headers) if (each[0] === name) values.push(...splitCommas(each[1]))
  return values
}

export function splitCommas(value: string): string[] {
  if (!value.includes(',')) return [value]
  const parts: string[] = []
  let quoted = false
  let angled = false
  let from = 0
  for (let i = 0; i < value.length; i++) {
    const char = value[i]
    if (quoted && char === '\\') i++
    else if (char === '"') quoted = !quoted
    else if (!quoted && char === '<') angled = true
    else if (!quoted && char === '>') angled = false
    else if (char === ',' && !quoted && !angled) {
      parts.push(value.slice(from, i).trim())
      from = i + 1
    }
  }
  parts.push(value.slice(from).trim())
  return parts.filter((part) => part !== '')
}
