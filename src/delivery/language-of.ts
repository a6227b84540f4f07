import { parseMsisdn } from '../msisdn.ts'
import { type Language, parseLanguage } from '../speech/index.ts'

/** The language most people of a country would want to hear, for templates that name none. Others hear English. */
const BY_COUNTRY: Partial<Record<string, Language>> = {
  AD: 'ca', AO: 'pt_pt', AR: 'es', AT: 'de', BE: 'nl', BO: 'es', BR: 'pt_br', BY: 'ru', CH: 'de', CI: 'fr', CL: 'es',
  CN: 'zh_cn', CO: 'es', CR: 'es', CU: 'es', DE: 'de', DK: 'da', DO: 'es', EC: 'es', ES: 'es', FI: 'fi', FR: 'fr',
  GT: 'es', HK: 'zh_tw', HN: 'es', HR: 'hr', IT: 'it', JP: 'ja', KR: 'ko', KZ: 'ru', LI: 'de', LU: 'fr', MC: 'fr',
  MD: 'ro', MX: 'es', MZ: 'pt_pt', NI: 'es', NL: 'nl', NO: 'no', PA: 'es', PE: 'es', PL: 'pl', PT: 'pt_pt', PY: 'es',
  RO: 'ro', RU: 'ru', SE: 'sv', SI: 'sl', SM: 'it', SN: 'fr', SV: 'es', TW: 'zh_tw', UY: 'es', VA: 'it', VE: 'es',
}

/** Language of a template, else of the number's country, else English. */
export function languageOf(template: { language?: string }, to: string): Language {
  return parseLanguage(template.language ?? '') ?? BY_COUNTRY[parseMsisdn(to)?.country ?? ''] ?? 'en'
}
