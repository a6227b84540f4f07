import { createHash } from 'node:crypto'
import type { Random } from '../random.ts'
import { parseDigestParams } from './headers.ts'
import type { SipResponse } from './message.ts'
import { quote } from './text.ts'

/** Digest authentication of a client: RFC 7616 and, for SIP, RFC 8760 and RFC 3261 §22. */
export type Credentials = { user: string; password: string }

const HASHES = { 'SHA-512-256': 'sha512-256', 'SHA-256': 'sha256', MD5: 'md5' } as const
type HashName = keyof typeof HASHES
const STRONGEST_FIRST = Object.keys(HASHES) as HashName[]

export type Challenge = {
  realm: string
  nonce: string
  opaque?: string
  /** As the challenge wrote it: it is echoed. Absent: MD5, and not echoed. */
  algorithm?: string
  hash: HashName
  session: boolean
  qop?: 'auth' | 'auth-int'
  stale: boolean
}

/** A challenge that we can meet; undefined for another scheme, hash or quality of protection. */
export function parseChallenge(line: string): Challenge | undefined {
  const params = parseDigestParams(line)
  const realm = params?.get('realm')
  const nonce = params?.get('nonce')
  if (!params || realm === undefined || nonce === undefined) return undefined
  const algorithm = params.get('algorithm')
  const [, name, sess] = /^(.*?)(-sess)?$/i.exec(algorithm ?? 'MD5')!
  const hash = STRONGEST_FIRST.find((known) => known === name.toUpperCase())
  const offered = params
    .get('qop')
    ?.toLowerCase()
    .split(',')
    .map((one) => one.trim())
  const qop = offered?.includes('auth') ? 'auth' : offered?.includes('auth-int') ? 'auth-int' : undefined
  if (!hash || (offered && !qop)) return undefined
  const opaque = params.get('opaque')
  return {
    realm,
    nonce,
    ...(opaque !== undefined && { opaque }),
    ...(algorithm !== undefined && { algorithm }),
    hash,
    session: sess !== undefined,
    ...(qop && { qop }),
    stale: params.get('stale')?.toLowerCase() === 'true',
  }
}

export type Use = { method: string; uri: string; body: Uint8Array; nc: number; cnonce: string }

/** The value of an Authorization header (RFC 7616 §3.4). */
export function authorization(challenge: Challenge, credentials: Credentials, use: Use): string {
  const { realm, nonce, qop, opaque, algorithm } = challenge
  const h = (text: string | Uint8Array) => digestOf(challenge.hash, text)
  const user = bytesOf(credentials.user)
  const secret = h(`${user}:${realm}:${bytesOf(credentials.password)}`)
  const a1 = challenge.session ? h(`${secret}:${nonce}:${use.cnonce}`) : secret
  const a2 = h(qop === 'auth-int' ? `${use.method}:${use.uri}:${h(use.body)}` : `${use.method}:${use.uri}`)
  const nc = use.nc.toString(16).padStart(8, '0')
  const response = h(qop ? `${a1}:${nonce}:${nc}:${use.cnonce}:${qop}:${a2}` : `${a1}:${nonce}:${a2}`)
  const fields = [
    `username=${quote(user)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri="${use.uri}"`,
    `response="${response}"`,
  ]
  if (algorithm !== undefined) fields.push(`algorithm=${algorithm}`)
  if (qop || challenge.session) fields.push(`cnonce="${use.cnonce}"`)
  if (qop) fields.push(`qop=${qop}`, `nc=${nc}`)
  if (opaque !== undefined) fields.push(`opaque=${quote(opaque)}`)
  return `Digest ${fields.join(', ')}`
}

const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

function digestOf(hash: HashName, text: string | Uint8Array): string {
  const made = createHash(HASHES[hash])
  return (typeof text === 'string' ? made.update(text, 'latin1') : made.update(text)).digest('hex')
}

type HeldChallenge = { header: 'authorization' | 'proxy-authorization'; challenge: Challenge; used: number }

/** The credentials of one call: what was asked so far, and what each further request shows for it. */
export class Authenticator {
  readonly #credentials: Credentials | undefined
  readonly #random: Random
  readonly #held = new Map<string, HeldChallenge>()

  constructor(credentials: Credentials | undefined, random: Random) {
    this.#credentials = credentials
    this.#random = random
  }

  /**
   * Takes a 401 or 407 in. True when the request is worth one more try. `tried` is the memory of one request: each
   * realm is answered once, and once more where only the nonce was stale; after that the answer was a refusal.
   */
  take(response: SipResponse, tried: Set<string>): boolean {
    if (!this.#credentials) return false
    const asked = new Map<string, HeldChallenge>()
    for (const [source, header] of CHALLENGE_HEADERS) {
      for (const challenge of readChallenges(response, source)) {
        const key = `${header} ${challenge.realm}`
        const best = asked.get(key)
        if (!best || strength(challenge) < strength(best.challenge)) asked.set(key, { header, challenge, used: 0 })
      }
    }
    if (asked.size === 0 || asked.size > 4) return false
    for (const [key, held] of asked) {
      const step = tried.has(key) ? `${key} stale` : key
      if (tried.has(step) || (step !== key && !held.challenge.stale)) return false
      tried.add(step)
      this.#held.set(key, held)
    }
    return tried.size <= 8
  }

  /** What a request shows: one header for each realm that has asked in this call. */
  headersFor(method: string, uri: string, body: Uint8Array): [name: string, value: string][] {
    if (!this.#credentials) return []
    return [...this.#held.values()].map((held) => {
      const use = { method, uri, body, nc: ++held.used, cnonce: this.#random.hex(16) }
      return [held.header, authorization(held.challenge, this.#credentials!, use)]
    })
  }
}

const CHALLENGE_HEADERS = [
  ['www-authenticate', 'authorization'],
  ['proxy-authenticate', 'proxy-authorization'],
] as const

const strength = (challenge: Challenge): number => STRONGEST_FIRST.indexOf(challenge.hash)

function readChallenges(response: SipResponse, header: string): Challenge[] {
  return response.headers
    .lines(header)
    .flatMap(splitChallenges)
    .map(parseChallenge)
    .filter((challenge) => challenge !== undefined)
}

/** Some peers put several challenges on one line, though RFC 3261 §20.44 keeps them apart. */
const splitChallenges = (line: string): string[] => line.split(/,[ \t]*(?=Digest[ \t]+[a-z]+[ \t]*=)/i)
