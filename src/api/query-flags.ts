import { invalid } from '../errors.ts'

const TRUE = new Set(['true', '1', 'yes'])
const FALSE = new Set(['false', '0', 'no'])
/** What clients send for a boolean that they were not given: the C# SDK nothing, the Node SDK `undefined` (contract §6). */
const ABSENT = new Set(['', 'undefined', 'null', 'none'])

/** A boolean of the query as clients write it: `True` (Python), `False` (C#), empty. */
export function readFlag(name: string, text: string | undefined): boolean | undefined {
  const word = text?.trim().toLowerCase() ?? ''
  if (ABSENT.has(word)) return undefined
  if (TRUE.has(word)) return true
  if (FALSE.has(word)) return false
  throw invalid(name, 'must be true or false')
}
