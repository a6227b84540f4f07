import type { Fvad } from './fvad.ts'
import type { Pcm } from './types.ts'

/**
 * Where in the sound somebody speaks. A frame is voice when it stands out of the line's own noise *and* WebRTC's
 * detector takes it for speech; each alone is fooled, by music and clicks the one, by steady noise the other.
 * A burst counts from 60 ms on.
 */

export const FRAME_MS = 20
const BURST_FRAMES = 3
/** Gaps up to this long are within one utterance. */
const UTTERANCE_GAP_MS = 400
const HANGOVER_MS = 300

const FLOOR_FRAMES = 150 // 3 s
const FLOOR_PERCENTILE = 0.1
const FLOOR_TRUSTED_FRAMES = 10
/** Until a floor is known the line may hiss; and speech from the first frame on must not become its own floor. */
const FLOOR_ASSUMED_DB = -50
const FLOOR_CAP_DB = -40
const ABOVE_FLOOR_DB = 9
const QUIETEST_VOICE_DB = -51
const BINS = 97 // 1 dB each, from −96 to 0

export class VoiceActivity {
  readonly #fvad: Fvad
  readonly #floor = new NoiseFloor()
  #frames = 0
  #run = 0

  /** Media time after the latest frame. */
  nowMs = 0
  /** Start of the first burst, end of the latest, and voice in all of them together. */
  firstMs: number | undefined
  lastEndMs: number | undefined
  voicedMs = 0
  burstStartMs = 0
  /** Bursts with short gaps between them: a phrase, a greeting. */
  utteranceStartMs = 0
  utterances = 0
  /** With a hangover, so that it does not flap between words. */
  speaking = false

  constructor(fvad: Fvad) {
    this.#fvad = fvad
  }

  push(frame: Pcm): void {
    this.nowMs = ++this.#frames * FRAME_MS
    const levelDb = meanLevelDb(frame)
    const loud = levelDb > Math.max(this.#floor.follow(levelDb) + ABOVE_FLOOR_DB, QUIETEST_VOICE_DB)
    // digital silence teaches WebRTC's detector nothing: it skips such frames itself
    const voice = levelDb > -80 && this.#fvad.isVoice(frame)
    if (loud && voice) this.#voiced()
    else this.#run = 0
    this.speaking = this.lastEndMs !== undefined && this.nowMs - this.lastEndMs < HANGOVER_MS
  }

  #voiced(): void {
    this.#run++
    if (this.#run < BURST_FRAMES) return
    if (this.#run > BURST_FRAMES) {
      this.voicedMs += FRAME_MS
    } else {
      const startMs = this.nowMs - BURST_FRAMES * FRAME_MS
      this.burstStartMs = startMs
      this.firstMs ??= startMs
      if (this.lastEndMs === undefined || startMs - this.lastEndMs > UTTERANCE_GAP_MS) {
        this.utteranceStartMs = startMs
        this.utterances++
      }
      this.voicedMs += BURST_FRAMES * FRAME_MS
    }
    this.lastEndMs = this.nowMs
  }
}

/** The level that a tenth of the last three seconds stays under, from a histogram: no sorting, no look back. */
class NoiseFloor {
  readonly #history = new Uint8Array(FLOOR_FRAMES)
  readonly #histogram = new Uint16Array(BINS)
  #count = 0
  #next = 0

  follow(levelDb: number): number {
    const bin = Math.max(0, Math.min(BINS - 1, Math.round(levelDb) + BINS - 1))
    if (this.#count === FLOOR_FRAMES) this.#histogram[this.#history[this.#next]!]!--
    else this.#count++
    this.#history[this.#next] = bin
    this.#histogram[bin]!++
    this.#next = (this.#next + 1) % FLOOR_FRAMES
    return this.#count < FLOOR_TRUSTED_FRAMES ? FLOOR_ASSUMED_DB : Math.min(this.#percentileDb(), FLOOR_CAP_DB)
  }

  #percentileDb(): number {
    let below = 0
    for (let bin = 0; bin < BINS; bin++) {
      below += this.#histogram[bin]!
      if (below > this.#count * FLOOR_PERCENTILE) return bin - BINS + 1
    }
    return 0
  }
}

function meanLevelDb(frame: Pcm): number {
  let sum = 0
  for (let index = 0; index < frame.length; index++) sum += Math.abs(frame[index]!)
  return sum === 0 ? -96 : Math.max(-96, 20 * Math.log10(sum / frame.length / 32768))
}
