export { canSpeak, parseLanguage } from './languages.ts'
export { openSpeech } from './speech.ts'
export { canRead, LONGEST_TEXT } from './spoken-text.ts'
export * from './types.ts'
