import { HIGH_GROUP_HZ, keyAt, LOW_GROUP_HZ, tonesOf } from './dtmf-keys.ts'
import type { Pcm } from './types.ts'

/** Keys as sound (Q.23, Q.24), for peers that do not speak RFC 4733. */

const RATE_HZ = 8000
const BLOCK = 136
const HOP = BLOCK / 2
const BLOCKS_ON = 2
const BLOCKS_OFF = 2
const MIN_PAIR_SHARE = 0.7
/** Next to a key's tone its group is quiet; a voice has harmonics there. */
const MIN_SELECTIVITY = 6 // in power, about 8 dB
/** A key's tones hold their level from one block to the next; a vowel's harmonics swell. In power, about 3 dB. */
const STEADY = 2
/** High group over low group, dB. */
const TWIST_DB = { from: -10, to: 6 }
/** Mean square of a tone pair at about −38 dBFS: quieter ones are crosstalk. */
const MIN_MEAN_SQUARE = 90_000
const TONE_AMPLITUDE = 5000 // each tone; the pair is at about −13 dBFS

/** One key press as sound: both tones for `pressMs`, with 2 ms of rise and fall so that it does not click. */
export function dtmfSound(key: string, pressMs: number): Pcm {
  const { lowHz, highHz } = tonesOf(key)
  const length = Math.round(pressMs * 8)
  return Int16Array.from({ length }, (_, index) => {
    const seconds = index / RATE_HZ
    const edge = Math.min(1, (index + 1) / 16, (length - index) / 16)
    const wave = Math.sin(2 * Math.PI * lowHz * seconds) + Math.sin(2 * Math.PI * highHz * seconds)
    return Math.round(wave * TONE_AMPLITUDE * edge)
  })
}

const coefficient = (hz: number): number => 2 * Math.cos((2 * Math.PI * hz) / RATE_HZ)
const LOW = LOW_GROUP_HZ.map(coefficient)
const HIGH = HIGH_GROUP_HZ.map(coefficient)

/** Finds keys in sound: Goertzel over half-overlapping blocks of 17 ms; a key is told when it has held two of them. */
export class DtmfDetector {
  readonly #block = new Float64Array(BLOCK)
  #filled = 0
  #candidate: Pair | undefined
  #on = 0
  #pressed: string | undefined
  #off = 0

  /** Feeds sound of any length; returns the keys whose press was recognised in it. */
  push(pcm: Pcm): string[] {
    const keys: string[] = []
    for (let index = 0; index < pcm.length; index++) {
      this.#block[this.#filled++] = pcm[index]!
      if (this.#filled < BLOCK) continue
      const key = this.#judge(pairIn(this.#block))
      if (key !== undefined) keys.push(key)
      this.#block.copyWithin(0, HOP)
      this.#filled = HOP
    }
    return keys
  }

  #judge(pair: Pair | undefined): string | undefined {
    const key = pair?.key
    if (key !== undefined && key === this.#pressed) {
      this.#off = 0
      return undefined
    }
    if (this.#pressed !== undefined && ++this.#off >= BLOCKS_OFF) this.#pressed = undefined
    this.#on = pair && this.#candidate && goesOn(this.#candidate, pair) ? this.#on + 1 : 1
    this.#candidate = pair
    if (key === undefined || this.#on < BLOCKS_ON) return undefined
    this.#pressed = key
    this.#off = 0
    return key
  }
}

type Pair = { key: string; low: number; high: number }

const goesOn = (before: Pair, now: Pair): boolean =>
  before.key === now.key && isNear(before.low, now.low) && isNear(before.high, now.high)
const isNear = (one: number, other: number): boolean => one < other * STEADY && other < one * STEADY

function pairIn(block: Float64Array): Pair | undefined {
  let energy = 0
  for (let index = 0; index < BLOCK; index++) energy += block[index]! * block[index]!
  if (energy < MIN_MEAN_SQUARE * BLOCK) return undefined
  const low = strongest(block, LOW)
  const high = strongest(block, HIGH)
  // a pure tone of the filter's own frequency has power = energy × N / 2
  const share = (low.power + high.power) / ((energy * BLOCK) / 2)
  if (share < MIN_PAIR_SHARE) return undefined
  const twistDb = 10 * Math.log10(high.power / low.power)
  if (twistDb < TWIST_DB.from || twistDb > TWIST_DB.to) return undefined
  if (low.power < low.second * MIN_SELECTIVITY || high.power < high.second * MIN_SELECTIVITY) return undefined
  return { key: keyAt(low.index, high.index), low: low.power, high: high.power }
}

function strongest(block: Float64Array, coefficients: number[]): { index: number; power: number; second: number } {
  let best = { index: 0, power: -1, second: -1 }
  for (let index = 0; index < coefficients.length; index++) {
    const power = goertzel(block, coefficients[index]!)
    if (power > best.power) best = { index, power, second: best.power }
    else if (power > best.second) best.second = power
  }
  return best
}

function goertzel(block: Float64Array, coefficient: number): number {
  let before = 0
  let last = 0
  for (let index = 0; index < BLOCK; index++) {
    const value = block[index]! + coefficient * last - before
    before = last
    last = value
  }
  return last * last + before * before - coefficient * last * before
}
