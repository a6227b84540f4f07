import type { Clock, Timer } from '../clock.ts'
import type { Pcm } from '../media/index.ts'
import type { Understood } from './hearing.ts'

/** Between two sentences; the pauses within a code are 0.3–0.7 s. */
const PAUSE_MS = 1000
/** Voice is told to have ended some 300 ms after it did; and a little more, so that the whole pause can be seen. */
const LOOK_AFTER_MS = 780
const LOOK_AGAIN_MS = 200
const FRAME = 80 // 10 ms
/** Mean square below which there is a pause, whatever the line: about −55 dBFS. */
const QUIETEST = 3600
/** A pause is this much below the loud part of the sound: 28 dB. */
const BELOW_LOUD = 630

export type EarOptions = {
  clock: Clock
  /** All that the handset received so far. */
  recording(): Promise<Pcm>
  understand(sound: Pcm): Promise<Understood>
  onUnderstood(understood: Understood): void
}

/**
 * Listens to a call sentence by sentence: each time the caller pauses, what he said since the last pause is taken to be
 * understood. What he says once more later is not asked for again once a code was heard.
 */
export class Ear {
  readonly #options: EarOptions
  #speaking = false
  #timer: Timer | undefined
  #work: Promise<void> = Promise.resolve()
  #busy = 0
  #understoodTo = 0 // samples
  #code: string | undefined
  #closed = false
  /** Waits for the ear to have nothing left to do. */
  readonly #idle = new Set<() => void>()

  constructor(options: EarOptions) {
    this.#options = options
  }

  /** The caller's voice started or ended. */
  voice(speaking: boolean): void {
    this.#speaking = speaking
    if (!speaking) this.#lookAfter(LOOK_AFTER_MS)
  }

  /** Whether something was said that may still be understood. */
  get isBusy(): boolean {
    return !this.#closed && this.#code === undefined && (this.#speaking || this.#timer !== undefined || this.#busy > 0)
  }

  /** Resolves when everything said so far has been listened to, or a code was heard. */
  settled(): Promise<void> {
    return this.isBusy ? new Promise((resolve) => this.#idle.add(resolve)) : Promise.resolve()
  }

  /** The call is over: listens to the rest, and once more to the whole where that did not say the same. */
  async finish(recording: Pcm): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#speaking = false
    await this.#do(async () => {
      const rest = await this.#options.understand(recording.slice(this.#understoodTo))
      const agrees = rest.code === undefined || rest.code === this.#code
      if (this.#code !== undefined && agrees) return
      this.#tell(this.#understoodTo === 0 ? rest : await this.#options.understand(recording))
    })
    this.#closed = true
    this.#tellIdle()
  }

  #lookAfter(ms: number): void {
    this.#timer?.cancel()
    this.#timer = this.#options.clock.after(ms, () => {
      this.#timer = undefined
      void this.#do(() => this.#look())
    })
  }

  async #look(): Promise<void> {
    if (this.#code !== undefined || this.#closed) return
    const recording = await this.#options.recording()
    const unheard = recording.subarray(this.#understoodTo)
    const cut = lastPause(unheard)
    if (cut === undefined) {
      if (!this.#speaking && unheard.length > 0) this.#lookAfter(LOOK_AGAIN_MS)
      return
    }
    this.#understoodTo += cut
    await this.#understand(unheard.slice(0, cut))
  }

  async #understand(sound: Pcm): Promise<void> {
    this.#tell(await this.#options.understand(sound))
  }

  #tell(understood: Understood): void {
    this.#code = understood.code ?? this.#code
    if (understood.code !== undefined || understood.key !== undefined) this.#options.onUnderstood(understood)
  }

  /** One thing after the other. */
  #do(job: () => Promise<void>): Promise<void> {
    this.#busy++
    this.#work = this.#work
      .then(job)
      .catch(() => {}) // a recording that is gone: there is nothing to hear
      .finally(() => {
        this.#busy--
        this.#tellIdle()
      })
    return this.#work
  }

  #tellIdle(): void {
    if (this.isBusy) return
    for (const resolve of this.#idle) resolve()
    this.#idle.clear()
  }
}

/** The middle of the last long pause that has voice before it, in samples. */
export function lastPause(sound: Pcm): number | undefined {
  const powers = framePowers(sound)
  const threshold = Math.max(QUIETEST, Math.max(0, ...powers) / BELOW_LOUD)
  let pauseEnd = powers.length
  for (let frame = powers.length - 1; frame >= 0; frame--) {
    if ((powers[frame] as number) <= threshold) continue
    if ((pauseEnd - frame - 1) * 10 >= PAUSE_MS) return Math.round((frame + 1 + pauseEnd) / 2) * FRAME
    pauseEnd = frame
  }
  return undefined
}

function framePowers(sound: Pcm): number[] {
  return Array.from({ length: Math.floor(sound.length / FRAME) }, (_, frame) => {
    let sum = 0
    for (let index = frame * FRAME; index < (frame + 1) * FRAME; index++) sum += (sound[index] as number) ** 2
    return sum / FRAME
  })
}
