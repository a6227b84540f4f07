/** The sixteen keys; the place in the string is the event number of RFC 4733 §3.2. */
export const DTMF_KEYS = '0123456789*#ABCD'

/** Q.23: each key is one tone of each group. */
export const LOW_GROUP_HZ = [697, 770, 852, 941] as const
export const HIGH_GROUP_HZ = [1209, 1336, 1477, 1633] as const
const PAD = ['123A', '456B', '789C', '*0#D'] as const

export const keyAt = (low: number, high: number): string => PAD[low]![high]!

export function tonesOf(key: string): { lowHz: number; highHz: number } {
  const row = PAD.findIndex((keys) => keys.includes(key))
  if (row === -1 || key.length !== 1) throw new RangeError(`"${key}" is not a key of a telephone`)
  return { lowHz: LOW_GROUP_HZ[row]!, highHz: HIGH_GROUP_HZ[PAD[row]!.indexOf(key)]! }
}

/** Reads what a caller wants pressed: keys only, A–D in either case. */
export function parseKeys(digits: string): string {
  const keys = digits.toUpperCase()
  for (const key of keys) if (!DTMF_KEYS.includes(key)) throw new RangeError('only 0–9, *, # and A–D can be pressed')
  return keys
}
