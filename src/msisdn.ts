import { parsePhoneNumberFromString } from 'libphonenumber-js/max'

/** A subscriber's number: digits, E.164 without the plus. Made only by `parseMsisdn`. */
export type Msisdn = string & { readonly __msisdn: unique symbol }

/** What numbers are for, as libphonenumber names it; `UNKNOWN` where its metadata can not tell. */
export type NumberKind =
  | 'MOBILE'
  | 'FIXED_LINE'
  | 'FIXED_LINE_OR_MOBILE'
  | 'PREMIUM_RATE'
  | 'TOLL_FREE'
  | 'SHARED_COST'
  | 'VOIP'
  | 'PERSONAL_NUMBER'
  | 'PAGER'
  | 'UAN'
  | 'VOICEMAIL'
  | 'UNKNOWN'

export type ParsedNumber = {
  msisdn: Msisdn
  /** ISO 3166 alpha-2, or undefined for numbers of no country (satellite, international services). */
  country: string | undefined
  kind: NumberKind
  /** Whether the number's plan knows such a number; a plausible length alone is not enough. */
  valid: boolean
  /** Whether a number of this length can exist in its country. */
  possible: boolean
}

/**
 * Reads a number as clients write it: `41793026727`, `+41 79 302 67 27`, `0041…`, quoted. International form only.
 * Returns undefined for what is no phone number at all (letters, 6 digits or fewer, more than E.164's 15).
 */
export function parseMsisdn(text: string): ParsedNumber | undefined {
  const digits = text
    .replace(/^\s*"?\s*/, '')
    .replace(/\s*"?\s*$/, '')
    .replace(/[\s().-]/g, '')
    .replace(/^\+/, '')
    .replace(/^00/, '')
  if (!/^[1-9]\d{6,14}$/.test(digits)) return undefined
  const known = parsePhoneNumberFromString(`+${digits}`)
  return {
    msisdn: digits as Msisdn,
    country: known?.country,
    kind: (known?.getType() as NumberKind | undefined) ?? 'UNKNOWN',
    valid: known?.isValid() ?? false,
    possible: known?.isPossible() ?? false,
  }
}

/** `41793026727` → `4179302****`: enough to follow a number through a log, not enough to call it. */
export const redactMsisdn = (msisdn: string): string => msisdn.replace(/\d{4}$/, '****')
