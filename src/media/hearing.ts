import { AnsweringMachine } from './answering-machine.ts'
import { DtmfDetector } from './dtmf-tones.ts'
import type { Fvad, FvadLoader } from './fvad.ts'
import { ToneDetector } from './tones.ts'
import type { Pcm, Verdict } from './types.ts'
import { FRAME_MS, VoiceActivity } from './voice-activity.ts'

/** What can be told of a call's sound by listening to it, frame by frame. Media time: frames since the first. */
export type Heard =
  | { type: 'verdict'; verdict: Verdict }
  | { type: 'beep'; atMs: number; hz: number }
  | { type: 'voice'; speaking: boolean; atMs: number }
  | { type: 'key'; digit: string; atMs: number; durationMs: number }

export type HearingWants = {
  /** Tell humans from machines, and beeps. */
  detect?: boolean
  /** Tell when voice starts and ends. */
  voice?: boolean
  /** Find keys in the sound. */
  keys?: boolean
}

export const FRAME_SAMPLES = 160
/** Two of the key detector's half-overlapping blocks: how much of a press has been heard when it is told. */
const KEY_HEARD_MS = 26

/** One ear. Feed it every frame of 160 samples, lost ones as silence. Detectors that can say no more are put away. */
export class Hearing {
  readonly #tell: (heard: Heard) => void
  readonly #wants: HearingWants
  readonly #fvad: Fvad | undefined
  readonly #voice: VoiceActivity | undefined
  readonly #machine: AnsweringMachine | undefined
  readonly #tones: ToneDetector | undefined
  readonly #keys: DtmfDetector | undefined
  #speaking = false
  #frames = 0
  /** Whether keys are looked for just now: not where the far end sends them as RFC 4733. */
  listensForKeys: boolean

  constructor(fvad: FvadLoader, wants: HearingWants, tell: (heard: Heard) => void) {
    this.#tell = tell
    this.#wants = wants
    if (wants.detect || wants.voice) {
      this.#fvad = fvad.create()
      this.#voice = new VoiceActivity(this.#fvad)
    }
    if (wants.detect) {
      this.#machine = new AnsweringMachine((verdict) => tell({ type: 'verdict', verdict }))
      this.#tones = new ToneDetector(({ kind, hz, atMs }) => {
        if (kind === 'beep') tell({ type: 'beep', atMs, hz })
        this.#machine!.tone(kind, this.#voice!)
      })
    }
    this.listensForKeys = wants.keys ?? false
    if (wants.keys) this.#keys = new DtmfDetector()
  }

  push(frame: Pcm): void {
    this.#frames++
    if (this.#voice && (this.#wants.voice || !this.#machine?.settled)) this.#voice.push(frame)
    this.#tones?.push(frame)
    if (this.#voice) this.#machine?.listen(this.#voice)
    if (this.#voice && this.#wants.voice) this.#tellVoice(this.#voice)
    if (this.#keys && this.listensForKeys) this.#tellKeys(this.#keys.push(frame))
  }

  #tellKeys(digits: string[]): void {
    for (const digit of digits) {
      const atMs = Math.max(0, this.#frames * FRAME_MS - KEY_HEARD_MS)
      this.#tell({ type: 'key', digit, atMs, durationMs: KEY_HEARD_MS })
    }
  }

  #tellVoice(voice: VoiceActivity): void {
    if (voice.speaking === this.#speaking) return
    this.#speaking = voice.speaking
    const atMs = this.#speaking ? voice.burstStartMs : voice.lastEndMs!
    this.#tell({ type: 'voice', speaking: this.#speaking, atMs })
  }

  close(): void {
    this.#fvad?.close()
  }
}
