/** Header names: compared without case, with the compact forms of RFC 3261 §7.3.3 and the IANA registry. */

const SPELLINGS = [
  ...['Via', 'From', 'To', 'Call-ID', 'CSeq', 'Contact', 'Max-Forwards', 'Content-Length', 'Content-Type', 'Route'],
  ...[
    'Record-Route',
    'Allow',
    'Accept',
    'Supported',
    'Require',
    'Proxy-Require',
    'Unsupported',
    'User-Agent',
    'Server',
  ],
  ...['Session-Expires', 'Min-SE', 'RSeq', 'RAck', 'WWW-Authenticate', 'Proxy-Authenticate', 'Authorization'],
  ...['Proxy-Authorization', 'Content-Encoding', 'Content-Disposition', 'Reason', 'Retry-After', 'History-Info'],
  ...[
    'Diversion',
    'P-Asserted-Identity',
    'P-Early-Media',
    'MIME-Version',
    'Info-Package',
    'Date',
    'Timestamp',
    'Event',
  ],
  ...['Subject', 'Warning', 'Privacy', 'Allow-Events', 'Refer-To', 'Expires', 'Organization', 'Accept-Encoding'],
]

const COMPACT: Record<string, string> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
  e: 'content-encoding',
  k: 'supported',
  s: 'subject',
  x: 'session-expires',
  r: 'refer-to',
  u: 'allow-events',
  o: 'event',
}

const byLower = new Map(SPELLINGS.map((name) => [name.toLowerCase(), name]))

/** Whatever way a name is written → the one string that stands for it (its full form in lower case). */
const canonicalOf = new Map<string, string>()
for (const name of SPELLINGS) {
  const lower = name.toLowerCase()
  for (const spelling of [name, lower, name.toUpperCase()]) canonicalOf.set(spelling, lower)
}
for (const [short, full] of Object.entries(COMPACT)) {
  for (const spelling of [short, short.toUpperCase()]) canonicalOf.set(spelling, full)
}

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/

/** The name in lower case and full form; undefined where it is no token. */
export function canonicalName(written: string): string | undefined {
  const known = canonicalOf.get(written)
  if (known) return known
  if (!TOKEN.test(written)) return undefined
  const lower = written.toLowerCase()
  return canonicalOf.get(lower) ?? lower
}

/** How a name is written on the wire: as in its RFC, or each part with a capital. */
export function wireName(canonical: string): string {
  const known = byLower.get(canonical)
  return known ?? canonical.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase())
}

/** Headers of which a message has one value only; two would let two readers see two different messages. */
export const SINGLE: ReadonlyMap<string, number> = new Map(
  ['from', 'to', 'call-id', 'cseq', 'content-length', 'max-forwards', 'content-type', 'rseq', 'rack'].map(
    (name, place) => [name, 1 << place], // a bit each: a message's are counted in one number
  ),
)
