import type { ParsedNumber } from '../msisdn.ts'
import type { Network } from './types.ts'

/** The network a number belongs to, as far as its plan tells; undefined where no country's plan has such a number. */
export function networkOf(number: ParsedNumber): Network | undefined {
  if (!number.country || !number.possible) return undefined
  return { country: number.country, kind: number.kind }
}
