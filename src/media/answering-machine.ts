import type { Verdict } from './types.ts'
import type { VoiceActivity } from './voice-activity.ts'

/**
 * Human or machine. People answer with a word or two and then wait; machines talk on. The rules and their figures are
 * those of `speech-and-detection.md`; errors do not cost the same, so what is unclear is `unsure`, and `human` can
 * still be overturned: by a beep, or by a second utterance too long for "Hello? Is anybody there?".
 */

const NOBODY_MS = 3000
const LONG_VOICE_MS = 1760
const LONG_SPAN_MS = 2200
const SHORT_SPAN_MS = 1900
const QUIET_MS = 1000
const UNDECIDED_MS = 6000
const SECOND_UTTERANCE_MS = 1500

export class AnsweringMachine {
  readonly #tell: (verdict: Verdict) => void
  #verdict: Verdict | undefined
  #utterancesAtVerdict = 0

  constructor(tell: (verdict: Verdict) => void) {
    this.#tell = tell
  }

  /** Nothing that voice could still change: no need to look for it further. */
  get settled(): boolean {
    return this.#verdict !== undefined && this.#verdict.verdict !== 'human'
  }

  /** After each frame. */
  listen(voice: VoiceActivity): void {
    if (!this.#verdict) this.#greeting(voice)
    else if (this.#verdict.verdict === 'human') this.#afterwards(voice)
  }

  /** A steady tone is a machine's, whatever was thought of the voice before it. */
  tone(kind: 'beep' | 'fax' | 'network_tone', voice: VoiceActivity): void {
    if (!this.settled) this.#decide('machine', kind, voice, 0.97)
  }

  #greeting(voice: VoiceActivity): void {
    const { nowMs, firstMs, lastEndMs } = voice
    if (firstMs === undefined || lastEndMs === undefined) {
      if (nowMs >= NOBODY_MS) this.#decide('unsure', 'silence', voice, 0.5)
      return
    }
    const spanMs = lastEndMs - firstMs
    if (voice.voicedMs >= LONG_VOICE_MS) this.#decide('machine', 'long_greeting', voice, 0.9)
    else if (spanMs >= LONG_SPAN_MS) this.#decide('machine', 'long_span', voice, 0.85)
    else if (nowMs - lastEndMs >= QUIET_MS && spanMs < SHORT_SPAN_MS) {
      this.#decide('human', 'short_greeting', voice, humanConfidence(spanMs, voice.utterances))
    } else if (nowMs >= UNDECIDED_MS) this.#decide('unsure', 'undecided', voice, 0.5)
  }

  #afterwards(voice: VoiceActivity): void {
    if (voice.utterances === this.#utterancesAtVerdict || voice.lastEndMs === undefined) return
    if (voice.lastEndMs - voice.utteranceStartMs >= SECOND_UTTERANCE_MS) {
      this.#decide('machine', 'second_utterance', voice, 0.75)
    }
  }

  #decide(verdict: Verdict['verdict'], why: Verdict['why'], voice: VoiceActivity, confidence: number): void {
    const decided: Verdict = { verdict, why, atMs: voice.nowMs, confidence }
    if (voice.firstMs !== undefined) decided.firstSoundMs = voice.firstMs
    this.#verdict = decided
    this.#utterancesAtVerdict = voice.utterances
    this.#tell(decided)
  }
}

/** Nearly sure after one short word; less so the closer the greeting came to a machine's, or when it had a pause in it. */
function humanConfidence(spanMs: number, utterances: number): number {
  const confidence = 0.98 - 0.25 * (spanMs / SHORT_SPAN_MS) ** 2 - (utterances > 1 ? 0.1 : 0)
  return Math.round(confidence * 100) / 100
}
