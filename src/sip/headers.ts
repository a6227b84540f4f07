import type { Headers } from './message.ts'
import { parseParams, splitList, unquote } from './text.ts'

/** The values of single headers that the room works with: Via, CSeq, RAck, Reason, Session-Expires, Retry-After. */
export type Via = { transport: string; host: string; port?: number; branch: string; params: string }
export type CSeq = { number: number; method: string }
export type SessionExpires = { seconds: number; refresher?: 'uac' | 'uas' }

/** RFC 3261 §8.1.1.7: what begins so is unique for the transaction. */
export const MAGIC_COOKIE = 'z9hG4bK'

const VIA =
  /^SIP[ \t]*\/[ \t]*2\.0[ \t]*\/[ \t]*([A-Z0-9-]+)[ \t]+(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?:[ \t]*:[ \t]*(\d{1,5}))?[ \t]*(?=[;,]|$)/i
const BRANCH = /;[ \t]*branch[ \t]*=[ \t]*([^;,\s"]+)/i

/** The topmost Via of a header line (§20.42); the values after its comma belong to others. */
export function parseVia(line: string): Via | undefined {
  const match = VIA.exec(line)
  if (!match) return undefined
  const [{ length }, transport, host, port] = match
  const params = line[length] === ';' ? (splitList(line.slice(length))[0] ?? '') : ''
  const branch = BRANCH.exec(params)?.[1] ?? ''
  return { transport, host, ...(port !== undefined && { port: Number(port) }), branch, params }
}

export function parseCSeq(value: string): CSeq | undefined {
  const match = /^(\d{1,10})[ \t]+([A-Za-z0-9\-.!%*_+`'~]{1,32})$/.exec(value)
  if (!match) return undefined
  const number = Number(match[1])
  return number < 2 ** 31 ? { number, method: match[2] } : undefined
}

/** RFC 3262 §7.1: a sequence number that is no CSeq. */
export function parseRSeq(value: string | undefined): number | undefined {
  if (value === undefined || !/^\d{1,10}$/.test(value)) return undefined
  const number = Number(value)
  return number >= 1 && number < 2 ** 32 ? number : undefined
}

/** The cause of a Reason header with protocol Q.850, a number from 0 to 127 (RFC 3326 §2). */
export function q850Of(headers: Headers): number | undefined {
  for (const value of headers.list('reason')) {
    if (!/^Q\.850[ \t]*(;|$)/i.test(value)) continue
    const cause = parseParams(value).get('cause') ?? ''
    if (/^\d{1,3}$/.test(cause) && Number(cause) <= 127) return Number(cause)
  }
  return undefined
}

/** The words of the first Reason header, for people. */
export function reasonTextOf(headers: Headers): string | undefined {
  const [first] = headers.list('reason')
  return first === undefined ? undefined : parseParams(first).get('text') || first.split(';', 1)[0]
}

/** Whether an answer tells of a diverted call: Diversion (RFC 5806), or History-Info with a cause of 3xx (RFC 7044). */
export function showsDiversion(headers: Headers): boolean {
  if (headers.get('diversion') !== undefined) return true
  return headers.lines('history-info').some((line) => /cause(?:=|%3D)3\d\d(?!\d)/i.test(line))
}

/** RFC 4028 §4. */
export function sessionExpiresOf(headers: Headers): SessionExpires | undefined {
  const value = headers.get('session-expires')
  const seconds = /^\d{1,9}(?=[ \t]*(;|$))/.exec(value ?? '')?.[0]
  if (value === undefined || seconds === undefined) return undefined
  const refresher = parseParams(value).get('refresher')?.toLowerCase()
  return { seconds: Number(seconds), ...((refresher === 'uac' || refresher === 'uas') && { refresher }) }
}

export function secondsOf(value: string | undefined): number | undefined {
  const digits = /^\d{1,9}(?=[ \t]*([;(]|$))/.exec(value ?? '')?.[0]
  return digits === undefined ? undefined : Number(digits)
}

/** `Digest realm="…", nonce="…"` → its parameters; undefined for another scheme (RFC 7616 §3.3). */
export function parseDigestParams(value: string): Map<string, string> | undefined {
  const match = /^Digest[ \t]+/i.exec(value)
  if (!match) return undefined
  const params = new Map<string, string>()
  for (const part of splitList(value.slice(match[0].length))) {
    const equals = part.indexOf('=')
    if (equals > 0) params.set(part.slice(0, equals).trim().toLowerCase(), unquote(part.slice(equals + 1).trim()))
  }
  return params
}
