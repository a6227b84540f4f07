import type { Address } from '../types.ts'

/** URIs, name-addrs and Vias: the structured values that routing needs (RFC 3261 §19.1, §20). */

export type NameAddr = { uri: string; params: Map<string, string> }

/** `"Anna" <sip:a@b;lr>;tag=1` or `sip:a@b;tag=1`. Undefined for what is neither. */
export function parseNameAddr(value: string): NameAddr | undefined {
  const unquoted = value.replace(/^\s*"(?:[^"\\]|\\.)*"\s*/, '')
  const open = unquoted.indexOf('<')
  if (open !== -1) {
    const close = unquoted.indexOf('>', open)
    if (close === -1) return undefined
    return { uri: unquoted.slice(open + 1, close).trim(), params: parseParams(unquoted.slice(close + 1)) }
  }
  const semicolon = unquoted.indexOf(';')
  const uri = (semicolon === -1 ? unquoted : unquoted.slice(0, semicolon)).trim()
  return uri ? { uri, params: parseParams(semicolon === -1 ? '' : unquoted.slice(semicolon)) } : undefined
}

export const tagOf = (value: string | undefined): string | undefined =>
  value === undefined ? undefined : parseNameAddr(value)?.params.get('tag')

/** `;a=1;b;c="x"` */
export function parseParams(text: string): Map<string, string> {
  const params = new Map<string, string>()
  for (const match of text.matchAll(/;\s*([^\s;=]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s;]*))?/g)) {
    params.set(match[1].toLowerCase(), (match[2] ?? '').replace(/^"|"$/g, ''))
  }
  return params
}

export type SipUri = { user: string; host: string; port: number | undefined; params: Map<string, string> }

export function parseUri(text: string): SipUri | undefined {
  const match = /^sips?:(?:([^@\s]*)@)?(\[[0-9a-f:.]+\]|[^:;?\s[\]]+)(?::(\d{1,5}))?((?:;[^?\s]*)?)(?:\?\S*)?$/i.exec(
    text,
  )
  if (!match) return undefined
  const port = match[3] === undefined ? undefined : Number(match[3])
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined
  return {
    user: (match[1] ?? '').split(/[:;]/)[0],
    host: match[2].replace(/^\[|\]$/g, ''),
    port,
    params: parseParams(match[4]),
  }
}

export type Via = { host: string; port: number; branch: string; params: Map<string, string> }

export function parseVia(value: string): Via | undefined {
  const match = /^SIP\s*\/\s*2\.0\s*\/\s*\w+\s+(\[[0-9a-f:.]+\]|[^\s:;[\]]+)\s*(?::\s*(\d{1,5}))?\s*(;.*)?$/i.exec(
    value,
  )
  if (!match) return undefined
  const params = parseParams(match[3] ?? '')
  return {
    host: match[1].replace(/^\[|\]$/g, ''),
    port: Number(match[2] ?? 5060),
    branch: params.get('branch') ?? '',
    params,
  }
}

export const hostPort = ({ host, port }: Address): string => `${host.includes(':') ? `[${host}]` : host}:${port}`

/** Where a request to this URI goes where it is an IP address: names are not resolved here. */
export function addressOf(uri: string): Address | undefined {
  const parsed = parseUri(uri)
  if (!parsed) return undefined
  const host = parsed.params.get('maddr') ?? parsed.host
  return /^[\d.]+$|:/.test(host) ? { host, port: parsed.port ?? 5060 } : undefined
}
