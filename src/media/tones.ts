import { powerSpectrum, singleToneHz, WINDOW } from './spectrum.ts'
import type { Pcm } from './types.ts'

/** Steady tones: a mailbox's beep, a fax, the network speaking. One look every 10 ms through a 32 ms window. */

export type Tone = { kind: 'beep' | 'fax' | 'network_tone'; hz: number; atMs: number }

const HOP = 80
const HOP_MS = 10
const STEADY_HZ = 15
const BEEP_HOPS = 12
/** A vowel's strongest harmonic can hold still for a while, but not so long. */
const LOW_BEEP_HOPS = 25
const LOW_BEEP_HZ = 460
/** One look may fail (a click, a lost packet) without ending the tone. */
const HOPS_MISSED = 1
/** Mean square at about −48 dBFS. */
const QUIETEST = 17_000
/** From one 10 ms to the next, outside a tone: a larger change is no steady tone and not worth a transform. */
const CHANGE = 2

/** T.30: a calling fax (CNG, 1100 ± 38 Hz, 0.5 s) and an answering one (CED, 2100 ± 15 Hz, 2.6 s and more). */
const isFax = (hz: number): boolean => Math.abs(hz - 1100) <= 38 || Math.abs(hz - 2100) <= 15
/** E.180: 425 Hz is ringing, busy and congestion in most of the world. */
const isCallProgress = (hz: number): boolean => Math.abs(hz - 425) <= 8
/** E.180 special information tone: 950, 1400, 1800 Hz, some 330 ms each, upwards without a pause. */
const isSitFirst = (hz: number): boolean => Math.abs(hz - 950) <= 45
const isSitSecond = (hz: number): boolean => Math.abs(hz - 1400) <= 45
/** Longer than a mailbox's short beep or an SIT's first tone, shorter than the shortest fax tone. */
const TELLING_HOPS = 45
const SIT_GAP_HOPS = 6
const SIT_SECOND_HOPS = 8

type Steady = { hz: number; hops: number; missed: number; startHop: number; told: boolean }

export class ToneDetector {
  readonly #tell: (tone: Tone) => void
  readonly #samples = new Float64Array(WINDOW)
  #filled = 0
  #hop = 0
  #energyBefore = 0
  #steady: Steady | undefined
  /** A first SIT tone that ended: a beep, unless the second follows at once. */
  #sit: { tone: Tone; endHop: number } | undefined

  constructor(tell: (tone: Tone) => void) {
    this.#tell = tell
  }

  push(pcm: Pcm): void {
    for (let at = 0; at < pcm.length; ) {
      const taken = Math.min(HOP, WINDOW - this.#filled, pcm.length - at)
      for (let index = 0; index < taken; index++) this.#samples[this.#filled + index] = pcm[at + index]!
      this.#filled += taken
      at += taken
      if (this.#filled < WINDOW) continue
      this.#look()
      this.#samples.copyWithin(0, HOP)
      this.#filled -= HOP
    }
  }

  #look(): void {
    this.#hop++
    const hz = this.#toneHz()
    const steady = this.#steady
    if (steady && hz !== undefined && Math.abs(hz - steady.hz) <= STEADY_HZ) {
      steady.hops += 1 + steady.missed
      steady.missed = 0
    } else if (steady && steady.missed < HOPS_MISSED) {
      steady.missed++
    } else {
      if (steady) this.#ended(steady)
      this.#steady = hz === undefined ? undefined : { hz, hops: 1, missed: 0, startHop: this.#hop, told: false }
    }
    if (this.#steady) this.#judge(this.#steady)
    if (this.#sit && this.#hop - this.#sit.endHop > SIT_GAP_HOPS && !this.#steadyIsSitSecond()) this.#tellSit('beep')
  }

  /**
   * The transform is for sound that could be a tone: loud enough, and as loud as 10 ms before. While there is none,
   * every other look will do: the window of the next one still holds what the skipped one would have seen.
   */
  #toneHz(): number | undefined {
    let energy = 0
    for (let index = WINDOW - HOP; index < WINDOW; index++) energy += this.#samples[index]! ** 2
    const before = this.#energyBefore
    this.#energyBefore = energy
    if (energy < QUIETEST * HOP) return undefined
    const even = energy < before * CHANGE && before < energy * CHANGE
    const worthIt = this.#steady !== undefined || (even && this.#hop % 2 === 0)
    return worthIt ? singleToneHz(powerSpectrum(this.#samples)) : undefined
  }

  #judge(steady: Steady): void {
    if (steady.told) return
    if (this.#sit && isSitSecond(steady.hz) && steady.hops >= SIT_SECOND_HOPS) {
      steady.told = true
      this.#tellSit('network_tone')
    } else if (isLong(steady) && !isAmbiguous(steady.hz)) {
      this.#told(steady, isCallProgress(steady.hz) ? 'network_tone' : 'beep')
    } else if (steady.hops >= TELLING_HOPS) {
      this.#told(steady, isFax(steady.hz) ? 'fax' : 'beep')
    }
  }

  #ended(steady: Steady): void {
    if (steady.told || !isLong(steady)) return
    if (isSitFirst(steady.hz)) this.#sit = { tone: toneOf(steady, 'beep'), endHop: this.#hop }
    else this.#told(steady, 'beep')
  }

  #told(steady: Steady, kind: Tone['kind']): void {
    steady.told = true
    this.#tell(toneOf(steady, kind))
  }

  #tellSit(kind: Tone['kind']): void {
    const sit = this.#sit
    this.#sit = undefined
    if (sit) this.#tell({ ...sit.tone, kind })
  }

  #steadyIsSitSecond = (): boolean => this.#steady !== undefined && isSitSecond(this.#steady.hz) && !this.#steady.told
}

const isLong = (steady: Steady): boolean => steady.hops >= (steady.hz < LOW_BEEP_HZ ? LOW_BEEP_HOPS : BEEP_HOPS)
/** Frequencies at which only the length, or what follows, tells a beep from a fax or the network. */
const isAmbiguous = (hz: number): boolean => isFax(hz) || isSitFirst(hz)
const toneOf = (steady: Steady, kind: Tone['kind']): Tone => ({
  kind,
  hz: Math.round(steady.hz),
  atMs: (steady.startHop - 1) * HOP_MS,
})
