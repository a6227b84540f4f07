import { canonicalName, SINGLE, wireName } from './header-names.ts'
import { type CSeq, parseCSeq, parseVia, type Via } from './headers.ts'
import { splitList } from './text.ts'

/** Canonical name (lower case, full form) and raw value. */
export type Header = [name: string, value: string]

/** RFC 3261 §7: a message is a start line, headers in the order of the wire, and a body of bytes. */
export type PlainRequest = { kind: 'request'; method: string; uri: string; headers: Header[]; body: Uint8Array }
export type PlainResponse = { kind: 'response'; status: number; reason: string; headers: Header[]; body: Uint8Array }
export type PlainMessage = PlainRequest | PlainResponse

/** The headers of a message; their values are taken apart when somebody asks. */
export class Headers extends Array<Header> {
  get(name: string): string | undefined {
    for (let i = 0; i < this.length; i++) if (this[i][0] === name) return this[i][1]
    return undefined
  }

  /** Every value of the header: several lines and values joined by commas come to the same (§7.3.1). */
  list(name: string): string[] {
    const found: string[] = []
    for (let i = 0; i < this.length; i++) if (this[i][0] === name) found.push(...splitList(this[i][1]))
    return found
  }

  /** The header's lines as they came, for those whose commas mean something else (credentials). */
  lines(name: string): string[] {
    const found: string[] = []
    for (let i = 0; i < this.length; i++) if (this[i][0] === name) found.push(this[i][1])
    return found
  }

  add(name: string, value: string): this {
    this.push([name, value])
    return this
  }

  /** Whether a list of option tags (Require, Supported, Allow …) has this one. */
  lists(name: string, tag: string): boolean {
    return this.list(name).some((value) => value.toLowerCase() === tag.toLowerCase())
  }
}

/** The first value of a header in any spelling; undefined where the message has none. */
export const header = (message: PlainMessage, name: string): string | undefined => headerValues(message, name)[0]

/** Every value of a header in any spelling, those of one line apart. */
export function headerValues(message: PlainMessage, name: string): string[] {
  const wanted = canonicalName(name)
  const found: string[] = []
  for (const [one, value] of message.headers) if (one === wanted) found.push(...splitList(value))
  return found
}

/** What every message is matched by, read already. */
type Common = { headers: Headers; body: Uint8Array; via: Via; callId: string; cseq: CSeq }
export type SipRequest = PlainRequest & Common
export type SipResponse = PlainResponse & Common
export type SipMessage = SipRequest | SipResponse
/** What was wrong with it; `request` is there when so much was right that it can be answered with `status`. */
export type Malformed = { kind: 'malformed'; why: string; status: number; request?: SipRequest }

export const LIMITS = { messageBytes: 65_535, headBytes: 16_384, headers: 256 } as const

const EMPTY_BODY = new Uint8Array(0)
const START_REQUEST = /^([A-Za-z0-9\-.!%*_+`'~]{1,32}) ([^\s<>"]{1,2048}) SIP\/(\d{1,9}\.\d{1,9})$/i
const START_RESPONSE = /^SIP\/2\.0 ([1-6]\d\d) (.*)$/i

const malformed = (why: string, request?: SipRequest, status = 400): Malformed => ({
  kind: 'malformed',
  why,
  status,
  ...(request && { request }),
})

/** Nothing but line ends and NULs: a peer keeps its NAT open (RFC 5626 §3.5.1). */
export const isKeepAlive = (bytes: Uint8Array): boolean =>
  bytes.length <= 4 && bytes.every((byte) => byte === 0x0d || byte === 0x0a || byte === 0)

/** Reads one datagram. Never throws: for what is no message it says why. */
export function parseMessage(datagram: Uint8Array): SipMessage | Malformed {
  const bytes = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.byteLength)
  let start = 0
  while (bytes[start] === 0x0d || bytes[start] === 0x0a) start++ // §7.5: empty lines before a message are passed over
  if (bytes.length > LIMITS.messageBytes) return malformed('larger than a datagram')
  const headEnd = bytes.indexOf('\r\n\r\n', start, 'latin1')
  if (headEnd === -1) return malformed('no empty line ends the headers')
  if (headEnd - start > LIMITS.headBytes) return malformed('headers too large')
  const head = bytes.toString('latin1', start, headEnd + 2)

  const lineEnd = head.indexOf('\r\n')
  const startLine = head.slice(0, lineEnd)
  const headers = parseHeaders(head, lineEnd + 2)
  if (typeof headers === 'string') return malformed(headers)
  const common = parseCommon(headers)
  if (typeof common === 'string') return malformed(common)

  const response = START_RESPONSE.exec(startLine)
  const request = response ? null : START_REQUEST.exec(startLine)
  if (!response && !request) return malformed('no start line of SIP')
  const message: SipMessage = response
    ? { kind: 'response', status: Number(response[1]), reason: response[2], ...common }
    : { kind: 'request', method: request![1], uri: request![2], ...common }
  const asRequest = message.kind === 'request' ? message : undefined
  if (request && request[3] !== '2.0') return malformed('another version of SIP', asRequest, 505)
  if (asRequest && asRequest.method !== common.cseq.method) return malformed('CSeq names another method', asRequest)

  const body = readBody(bytes, headEnd + 4, headers)
  if (typeof body === 'string') return malformed(body, asRequest)
  message.body = body
  return message
}

function parseHeaders(head: string, from: number): Headers | string {
  const headers = new Headers()
  for (let at = from; at < head.length; ) {
    const end = head.indexOf('\n', at)
    if (head.indexOf('\r', at) !== end - 1) return 'a line does not end with CRLF'
    const colon = head.indexOf(':', at)
    const first = head.charCodeAt(at)
    if (first === 0x20 || first === 0x09) {
      const last = headers[headers.length - 1]
      if (!last) return 'the first header is folded'
      last[1] = `${last[1]} ${head.slice(at, end - 1).trim()}`.trim() // §7.3.1: one space
    } else {
      if (colon === -1 || colon > end) return 'a header without a colon'
      const name = canonicalName(head.slice(at, colon)) ?? canonicalName(head.slice(at, colon).trimEnd())
      if (name === undefined) return 'a header name is no token'
      if (headers.length === LIMITS.headers) return 'too many headers'
      headers.push([name, trimmed(head, colon + 1, end - 1)])
    }
    at = end + 1
  }
  return head.includes('\0') ? 'a NUL in the headers' : headers
}

/** `head.slice(from, to).trim()`, but one string made instead of two: this runs for every header that arrives. */
function trimmed(head: string, from: number, to: number): string {
  while (from < to && head.charCodeAt(from) <= 0x20) from++
  while (to > from && head.charCodeAt(to - 1) <= 0x20) to--
  return head.slice(from, to)
}

/** The headers without which a message can be neither matched nor answered (§8.1.1). */
function parseCommon(headers: Headers): Common | string {
  let seen = 0
  for (let i = 0; i < headers.length; i++) {
    const bit = SINGLE.get(headers[i][0])
    if (bit === undefined) continue
    if (seen & bit) return `more than one ${wireName(headers[i][0])}`
    seen |= bit
  }
  const callId = headers.get('call-id')
  if (!callId) return 'no Call-ID'
  if (!headers.get('from')) return 'no From'
  if (!headers.get('to')) return 'no To'
  const cseq = parseCSeq(headers.get('cseq') ?? '')
  if (!cseq) return 'no usable CSeq'
  const via = parseVia(headers.get('via') ?? '')
  if (!via) return 'no usable Via'
  return { headers, body: EMPTY_BODY, via, callId, cseq }
}

/** §18.3: over UDP Content-Length may be absent; what lies past it is thrown away; what is missing is an error. */
function readBody(bytes: Buffer, from: number, headers: Headers): Uint8Array | string {
  const value = headers.get('content-length')
  if (value === undefined) return bytes.subarray(from)
  if (!/^\d{1,6}$/.test(value)) return 'Content-Length is no number'
  const length = Number(value)
  if (length > bytes.length - from) return 'shorter than its Content-Length'
  return length === 0 ? EMPTY_BODY : bytes.subarray(from, from + length)
}

/** The bytes of a message for the wire. Content-Length is written here and nowhere else. */
export function formatMessage(message: PlainMessage): Buffer {
  const { headers, body } = message
  let head =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0\r\n`
      : `SIP/2.0 ${message.status} ${message.reason}\r\n`
  for (const [name, value] of headers) {
    if (name !== 'content-length') head += `${wireName(name)}: ${value}\r\n`
  }
  head += `Content-Length: ${body.length}\r\n\r\n`
  if (body.length === 0) return Buffer.from(head, 'latin1')
  const bytes = Buffer.allocUnsafe(head.length + body.length)
  bytes.write(head, 'latin1')
  bytes.set(body, head.length)
  return bytes
}
