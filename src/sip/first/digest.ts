import { createHash } from 'node:crypto'
import type { Random } from '../../random.ts'
import { splitCommas } from './message.ts'

/** Digest authentication (RFC 7616, RFC 8760 for SIP): answering challenges. */

export type Challenge = {
  realm: string
  nonce: string
  algorithm: string
  qop: string | undefined
  opaque: string | undefined
  stale: boolean
}

/** Strongest first (RFC 8760 §2.4: the UAC takes the topmost it supports; servers list by preference, we insist on strength). */
const ALGORITHMS = ['SHA-512-256', 'SHA-256', 'MD5']
const HASH: Record<string, string> = { 'SHA-512-256': 'sha512-256', 'SHA-256': 'sha256', MD5: 'md5' }

/** The strongest of several challenges that can be answered. */
export function chooseChallenge(values: readonly string[]): Challenge | undefined {
  const known = values.map(parseChallenge).filter((each) => each !== undefined)
  return known.sort((a, b) => strength(a) - strength(b))[0]
}

const strength = (challenge: Challenge): number => ALGORITHMS.indexOf(plain(challenge.algorithm))
const plain = (algorithm: string): string => algorithm.replace(/-sess$/i, '').toUpperCase()

function parseChallenge(value: string): Challenge | undefined {
  if (!/^Digest\s/i.test(value)) return undefined
  const fields = new Map<string, string>()
  for (const part of splitCommas(value.replace(/^Digest\s+/i, ''))) {
    const match = /^([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))$/.exec(part.trim())
    if (match) fields.set(match[1].toLowerCase(), match[2] ?? match[3])
  }
  const [realm, nonce] = [fields.get('realm'), fields.get('nonce')]
  const algorithm = fields.get('algorithm') ?? 'MD5'
  if (realm === undefined || nonce === undefined || !(plain(algorithm) in HASH)) return undefined
  const offered = fields
    .get('qop')
    ?.split(/[\s,]+/)
    .map((each) => each.toLowerCase())
  if (offered && !offered.includes('auth')) return undefined
  return {
    realm,
    nonce,
    algorithm,
    qop: offered ? 'auth' : undefined,
    opaque: fields.get('opaque'),
    stale: fields.get('stale')?.toLowerCase() === 'true',
  }
}

export type Credentials = { user: string; password: string }

/** The value of Authorization or Proxy-Authorization. `nc` counts the requests sent with this nonce, from 1. */
export function answerChallenge(
  challenge: Challenge,
  credentials: Credentials,
  request: { method: string; uri: string },
  nc: number,
  random: Pick<Random, 'hex'>,
): string {
  const hash = (text: string) => createHash(HASH[plain(challenge.algorithm)]).update(text).digest('hex')
  const cnonce = random.hex(8)
  const count = nc.toString(16).padStart(8, '0')
  const secret = hash(`${credentials.user}:${challenge.realm}:${credentials.password}`)
  const a1 = /-sess$/i.test(challenge.algorithm) ? hash(`${secret}:${challenge.nonce}:${cnonce}`) : secret
  const a2 = hash(`${request.method}:${request.uri}`)
  const response = challenge.qop
    ? hash(`${a1}:${challenge.nonce}:${count}:${cnonce}:${challenge.qop}:${a2}`)
    : hash(`${a1}:${challenge.nonce}:${a2}`)
  const fields = [
    `username="${credentials.user}"`,
    `realm="${challenge.realm}"`,
    `nonce="${challenge.nonce}"`,
    `uri="${request.uri}"`,
    `response="${response}"`,
    `algorithm=${challenge.algorithm}`,
  ]
  if (challenge.qop || /-sess$/i.test(challenge.algorithm)) fields.push(`cnonce="${cnonce}"`)
  if (challenge.qop) fields.push(`qop=${challenge.qop}`, `nc=${count}`)
  if (challenge.opaque !== undefined) fields.push(`opaque="${challenge.opaque}"`)
  return `Digest ${fields.join(', ')}`
}
