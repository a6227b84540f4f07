import { isIP } from 'node:net'
import { endOfQuoted, fromWire, indexOutside, parseParams, unquote } from './text.ts'
import type { Address } from './types.ts'

/** RFC 3261 §19.1. `user` is still escaped; `host` is in lower case and without the brackets of IPv6. */
export type SipUri = {
  scheme: string
  user?: string
  host: string
  port?: number
  params: Map<string, string>
}

/** From, To, Contact, Route and their like (§20.10): a URI with its brackets off, and the header's own parameters. */
export type NameAddress = {
  displayName?: string
  uri: string
  params: Map<string, string>
}

const SIP_URI =
  /^(sips?):(?:([^@<>"\s]*)@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?(;[^?\s<>"]*)?(?:\?[^\s<>"]*)?$/i

export function parseUri(text: string): SipUri | undefined {
  if (text.length > 2048) return undefined
  const match = SIP_URI.exec(text)
  if (!match) return parseTel(text)
  const [, scheme, user, host, portText, params] = match
  const bare = host.startsWith('[') ? host.slice(1, -1).toLowerCase() : host.toLowerCase()
  if (host.startsWith('[') && isIP(bare) !== 6) return undefined
  const port = portText === undefined ? undefined : Number(portText)
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined
  return {
    scheme: scheme.toLowerCase(),
    ...(user !== undefined && { user: user.split(':', 1)[0] }),
    host: bare,
    ...(port !== undefined && { port }),
    params: parseParams(params ?? ''),
  }
}

function parseTel(text: string): SipUri | undefined {
  const match = /^tel:([^;\s]{1,64})(;[^\s<>"]*)?$/i.exec(text)
  return match ? { scheme: 'tel', user: match[1], host: '', params: parseParams(match[2] ?? '') } : undefined
}

/** The user part as a person reads it: percent escapes resolved (§19.1.2), broken ones left alone. */
export function userOf(uri: string): string {
  const user = parseUri(uri)?.user ?? ''
  return fromWire(user.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))))
}

/** Where a request for this URI goes over UDP, names apart (RFC 3263 §4.2): maddr, or host, and port or 5060. */
export function addressOf(uri: string): Address | undefined {
  const parsed = parseUri(uri)
  if (!parsed || parsed.scheme === 'tel') return undefined
  return { host: parsed.params.get('maddr') || parsed.host, port: parsed.port ?? 5060 }
}

/** Reads `"Name" <uri>;params`, `<uri>;params` and `uri;params`; in the last, parameters are the header's (§20). */
export function parseNameAddress(value: string): NameAddress | undefined {
  const open = value.startsWith('"') ? value.indexOf('<', endOfQuotedOr(value)) : value.indexOf('<')
  if (open === -1) {
    const semicolon = value.indexOf(';')
    const uri = (semicolon === -1 ? value : value.slice(0, semicolon)).trim()
    if (!/^[a-z][a-z0-9+.-]*:[^\s<>"]+$/i.test(uri)) return undefined
    return { uri, params: parseParams(semicolon === -1 ? '' : value.slice(semicolon)) }
  }
  const close = value.indexOf('>', open)
  if (close === -1) return undefined
  const uri = value.slice(open + 1, close).trim()
  if (!/^[a-z][a-z0-9+.-]*:\S+$/i.test(uri)) return undefined
  const name = unquote(value.slice(0, open).trim())
  const semicolon = indexOutside(value, ';', close + 1)
  return {
    ...(name && { displayName: name }),
    uri,
    params: parseParams(semicolon === -1 ? '' : value.slice(semicolon)),
  }
}

const endOfQuotedOr = (value: string): number => {
  const end = endOfQuoted(value, 0)
  return end === -1 ? value.length : end
}

/** The tag of a From or To value; undefined where it has none. */
export function tagOf(value: string | undefined): string | undefined {
  return value === undefined ? undefined : parseNameAddress(value)?.params.get('tag') || undefined
}

/** An IPv6 address stands in brackets wherever a port may follow. */
export const hostText = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host)

export const sameAddress = (a: Address, b: Address): boolean => a.port === b.port && a.host === b.host
