import { tableOf } from './languages.ts'
import { asciiForm } from './spoken-text.ts'
import type { VoiceChoice } from './types.ts'

export type EngineName = 'flite' | 'espeak'

/** One way to say something: an engine, a voice of it, and how its texts are written. */
export type Voice = {
  engine: EngineName
  id: string
  /** Words a minute. */
  rate: number
  /** Pitch of a character within a code and of the last one: falling, so that an ear knows the code is complete. */
  pitch: { running: number; final: number }
  write(text: string): string
}

/** Part of every cache key: what a new version says may sound otherwise. */
export const ENGINE_VERSIONS: Record<EngineName, string> = { flite: '0.1.1', espeak: '0.3.5' }

const WORDS_A_MINUTE = 150
const SLOWEST = 0.5
const FASTEST = 2

/** English voices by our names and by those of the contract's examples. */
const ENGLISH: Record<string, string> = {
  ...{ slt: 'slt', rms: 'rms', awb: 'awb', kal16: 'kal16' },
  ...{ joanna: 'slt', salli: 'slt', kendra: 'slt', kimberly: 'slt', ivy: 'slt', amy: 'slt', emma: 'slt' },
  ...{ matthew: 'rms', joey: 'rms', justin: 'rms', brian: 'awb' },
}

/** Elsewhere espeak itself lets the voice fall at a full stop; in Mandarin the tones leave no room for that. */
const TONAL: readonly string[] = ['zh_cn', 'zh_tw']

/** How a choice can be spoken, best first; the second is tried where the first engine fails. */
export function voicesFor({ language, voiceName, speechRate = 1 }: VoiceChoice): [Voice, ...Voice[]] {
  const rate = Math.round(WORDS_A_MINUTE * Math.min(FASTEST, Math.max(SLOWEST, speechRate || 1)))
  // Klatt's synthesiser, variant 6, is what listeners and recognisers understand best of espeak's.
  const espeak: Voice = {
    ...{ engine: 'espeak', rate, id: `${tableOf(language).espeak}+klatt6` },
    pitch: TONAL.includes(language) ? { running: 1.04, final: 0.88 } : { running: 1, final: 1 },
    write: (text) => text,
  }
  const name = voiceName?.trim().toLowerCase() ?? ''
  if (language !== 'en' || name === 'espeak') return [espeak]
  const flite: Voice = {
    ...{ engine: 'flite', rate, id: ENGLISH[name] ?? 'slt' },
    pitch: { running: 1.04, final: 0.92 }, // flite says „one,“ and „one.“ alike
    write: asciiForm,
  }
  return [flite, espeak]
}

/** 1 where the choice is ordinary, more where it is to be spoken slowly: pauses follow it. */
export const slownessOf = (choice: VoiceChoice): number =>
  1 / Math.min(FASTEST, Math.max(SLOWEST, choice.speechRate || 1))
