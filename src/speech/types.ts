import type { Clock } from '../clock.ts'
import type { Language } from '../language.ts'
import type { Log } from '../log.ts'

/** 8 kHz mono, signed 16 bit, the shape telephone calls need. */
export type Sound = Int16Array

export { LANGUAGES, type Language } from '../language.ts'

export type VoiceChoice = {
  language: Language
  /** A name of ours or of the contract (`Joanna`); unknown names fall back to the language's default voice. */
  voiceName?: string
  /** 0.5 … 2, default 1. */
  speechRate?: number
}

export type PromptRequest = VoiceChoice & {
  /** The template's text with `{{pin}}` still in it and other placeholders already filled. */
  text: string
  /** The code, one character each of 0–9 A–Z. Joined from clips in memory: never a cache key, never sent to an engine. */
  code: string
  /**
   * What the other placeholders of the template were filled with; empty where it has none. A piece of the text with one of
   * these in it is made for this call alone and never cached. Where this is absent nobody knows what is personal, so
   * nothing of `text` is cached and every call costs the engine's time again.
   */
  filled?: readonly string[]
  /** The key that a person is asked to press, `0`…`9`. */
  proofKey: string
  /** Key that replays, as the template's `repeatDTMF` has it (`1#`): said at the end where given. */
  replayKeys?: string
  /** Sandbox only: make the speech process fail for this request, as a broken engine would. */
  fault?: boolean
}

/** Everything one call can say, ready before the phone rings. */
export type Prompts = {
  /** Said while we listen for a human: no code in it. */
  greeting: Sound
  /** The message with the code, once. */
  reading: Sound
  /** "I repeat", then the code again, then how to replay it where that is possible. */
  repetition: Sound
  /** "To hear your code, press N." */
  offerKey: Sound
  goodbye: Sound
}

export type Speech = {
  /** Renders all prompts of a call. Rejects with `SpeechFailed` where no engine could. */
  prepare(request: PromptRequest): Promise<Prompts>
  /** Any text without a code or a name in it: what sandbox handsets say. Cached like every phrase. */
  say(voice: VoiceChoice, text: string): Promise<Sound>
  /** Clips of the characters as calls speak them: what a listener can compare heard sound with. */
  clips(voice: VoiceChoice, characters: string): Promise<Map<string, Sound[]>>
  /** Renders the fixed phrases and digits of a voice ahead of the first call. */
  warm(voice: VoiceChoice): Promise<void>
  close(): Promise<void>
}

export type SpeechOptions = { log: Log; clock: Clock; cacheBytes?: number }

export class SpeechFailed extends Error {
  override readonly name = 'SpeechFailed'
}
