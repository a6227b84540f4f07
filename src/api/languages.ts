/** The contract's languages, in its order (§1.5), in the spelling that is answered. */
export const LANGUAGES = [
  'en',
  'es',
  'ca',
  'da',
  'nl',
  'fr',
  'de',
  'it',
  'ja',
  'ko',
  'no',
  'pl',
  'ru',
  'sv',
  'fi',
  'hr',
  'sl',
  'ro',
  'pt_pt',
  'pt_br',
  'zh_cn',
  'zh_tw',
] as const

const KNOWN: ReadonlySet<string> = new Set(LANGUAGES)

/** `pt-BR` → `pt_br`: clients before 2024 wrote a hyphen. Undefined for a language that nobody speaks here. */
export function readLanguage(text: string): string | undefined {
  const written = text.trim().toLowerCase().replace('-', '_')
  return KNOWN.has(written) ? written : undefined
}
