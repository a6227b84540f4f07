import type { SipResponse } from './message.ts'
import type { Address } from './types.ts'
import { addressOf, parseNameAddress, parseUri, sameAddress } from './uri.ts'

/** RFC 3261 §8.1.3.4: the far end may send us elsewhere this often in one call. */
export const MAX_REDIRECTS = 5
const FOLLOWED = new Set([300, 301, 302])

/** The best contact of a 3xx that lies where we may go: the same target, or an address that we talk to anyway. */
export function redirectOf(
  response: SipResponse,
  target: Address,
  allows: (address: Address) => boolean,
): { uri: string; target: Address } | undefined {
  if (!FOLLOWED.has(response.status)) return undefined
  const contacts = response.headers
    .list('contact')
    .map(parseNameAddress)
    .filter((contact) => contact !== undefined)
    .sort((a, b) => preference(b.params) - preference(a.params))
  for (const { uri } of contacts) {
    const address = addressOf(uri)
    const transport = parseUri(uri)?.params.get('transport')?.toLowerCase() ?? 'udp'
    if (!address || transport !== 'udp' || !uri.toLowerCase().startsWith('sip:')) continue
    if (sameAddress(address, target) || allows(address)) return { uri: uri.split('?', 1)[0], target: address }
  }
  return undefined
}

function preference(params: Map<string, string>): number {
  const q = Number(params.get('q') ?? 1)
  return Number.isFinite(q) ? q : 0
}
