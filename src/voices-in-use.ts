import type { VoiceChoice } from './speech/index.ts'

const REMEMBERED = 8

/** The voices that calls were spoken in lately: the sandbox's people understand these. No text and no code is kept. */
export function rememberVoices(): { remember(voice: VoiceChoice): void; spoken(): readonly VoiceChoice[] } {
  const recent = new Map<string, VoiceChoice>()
  return {
    remember({ language, voiceName, speechRate }) {
      const voice = { language, ...(voiceName && { voiceName }), ...(speechRate && { speechRate }) }
      const key = JSON.stringify(voice)
      recent.delete(key)
      recent.set(key, voice)
      if (recent.size > REMEMBERED) recent.delete(recent.keys().next().value!)
    },
    spoken: () => (recent.size ? [...recent.values()].reverse() : [{ language: 'en' }]),
  }
}
