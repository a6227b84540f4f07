import { tableOf } from './languages.ts'
import { letterNames } from './letters.ts'
import type { Language } from './types.ts'

/**
 * Characters are rendered in whole sets, whatever a code needs of them: so neither the engine nor the cache ever sees which
 * characters a code has.
 */
export const CHARACTER_SETS = ['0123456789', 'ABCDEF', 'GHIJKLMNOPQRSTUVWXYZ'] as const

/** The sets that these characters come from, or undefined where one of them can not be spoken. */
export function setsOf(characters: string): string[] | undefined {
  const needed = CHARACTER_SETS.filter((set) => [...characters].some((character) => set.includes(character)))
  const known = needed.join('')
  return [...characters].every((character) => known.includes(character)) ? needed : undefined
}

/** The spoken name of `0`–`9` or `A`–`Z`. */
export function characterName(language: Language, character: string): string {
  const digit = '0123456789'.indexOf(character)
  const name =
    digit >= 0
      ? tableOf(language).digits.split(' ')[digit]
      : letterNames(language)[character.charCodeAt(0) - 'A'.charCodeAt(0)]
  if (!name) throw new RangeError('not a character of a code')
  return name
}

/** How a code is grouped for the ear: 4 = 2+2, 5 = 2+3, 6 = 3+3, 7 = 3+4, 8 = 4+4. */
export function groupsOf(code: string): string[] {
  const sizes = GROUPS[code.length] ?? Array.from({ length: Math.ceil(code.length / 3) }, () => 3)
  const ends = sizes.map((_, index) => sizes.slice(0, index + 1).reduce((sum, size) => sum + size, 0))
  return ends.map((end, index) => code.slice(ends[index - 1] ?? 0, end))
}

const GROUPS: Record<number, number[]> = {
  1: [1],
  2: [2],
  3: [3],
  4: [2, 2],
  5: [2, 3],
  6: [3, 3],
  7: [3, 4],
  8: [4, 4],
}
