/** The contract's languages, in its order (§1.5) and its spelling. */
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
export type Language = (typeof LANGUAGES)[number]

const KNOWN = new Map<string, Language>(LANGUAGES.map((language) => [language, language]))

/** `pt-BR` → `pt_br`: clients before 2024 wrote a hyphen. Undefined for a language that nobody speaks here. */
export const parseLanguage = (text: string): Language | undefined =>
  KNOWN.get(text.trim().toLowerCase().replace('-', '_'))
