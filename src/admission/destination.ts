import type { NumberKind, ParsedNumber } from '../msisdn.ts'

/** Numbers that earn money for whoever is called, or that are no phone of a person. */
const REFUSED_KINDS: ReadonlySet<NumberKind> = new Set([
  'PREMIUM_RATE',
  'SHARED_COST',
  'PAGER',
  'PERSONAL_NUMBER',
  'UAN',
  'VOICEMAIL',
])

/** Codes of no country (satellite, international shared cost and premium, inmarsat): the dearest calls there are. */
const REFUSED_CODES = /^(870|878|881|882|883|888|979)/

/** Why a number may not be called or texted, as a sentence; undefined where it may. */
export function destinationRefusal(number: ParsedNumber): string | undefined {
  if (REFUSED_CODES.test(number.msisdn))
    return 'the number belongs to no country: satellite and shared-cost services are not dialled'
  if (REFUSED_KINDS.has(number.kind)) return `the number is of a kind that is not dialled (${number.kind})`
  return undefined
}
