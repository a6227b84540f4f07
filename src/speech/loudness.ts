import type { Recording } from './engine-process.ts'
import { resample } from './resample.ts'
import type { Sound } from './types.ts'

export const SAMPLE_RATE = 8000

const FRAME = SAMPLE_RATE / 100
/** Mean power of the voiced part, in dB below full scale: loud enough for a street, and peaks still fit. */
const LEVEL_DBFS = -19
/** A frame belongs to the voice where it is no further than this below the loudest. */
const VOICED_DB = 20
/** What is further down than this is silence to a listener on the telephone. */
const SILENT_DB = 38
const LEAD_SAMPLES = 80
const TAIL_SAMPLES = 200
const FADE_IN_SAMPLES = 24
const FADE_OUT_SAMPLES = 80
/** Above this share of full scale peaks are rounded instead of cut. */
const KNEE = 0.7

/**
 * What an engine gave, as a telephone call wants it: 8 kHz, without rumble or offset, no silence before and after (pauses
 * are put in by whoever joins sounds), every voice and word equally loud, edges that do not click.
 */
export function forTelephone({ sampleRate, samples }: Recording): Sound {
  const clean = withoutRumble(resample(samples, sampleRate, SAMPLE_RATE))
  const trimmed = trim(clean)
  if (trimmed.length === 0) return new Int16Array(0)
  return fade(toSamples(trimmed, gainFor(trimmed)))
}

/** Second-order Butterworth high-pass at 100 Hz: below it there is no speech on a telephone, only offset and rumble. */
function withoutRumble(samples: Float32Array): Float32Array {
  const w = Math.tan((Math.PI * 100) / SAMPLE_RATE)
  const norm = 1 / (1 + Math.SQRT2 * w + w * w)
  const a1 = 2 * (w * w - 1) * norm
  const a2 = (1 - Math.SQRT2 * w + w * w) * norm
  const start = samples[0] ?? 0 // as if it had always been so: an offset does not begin with a bang
  let [x1, x2, y1, y2] = [start, start, 0, 0]
  return samples.map((x) => {
    const y = norm * (x - 2 * x1 + x2) - a1 * y1 - a2 * y2
    ;[x2, x1, y2, y1] = [x1, x, y1, y]
    return y
  })
}

function powers(samples: Float32Array): number[] {
  const frames: number[] = []
  for (let start = 0; start < samples.length; start += FRAME) {
    let sum = 0
    const end = Math.min(samples.length, start + FRAME)
    for (let index = start; index < end; index++) sum += (samples[index] as number) ** 2
    frames.push(sum / FRAME)
  }
  return frames
}

function trim(samples: Float32Array): Float32Array {
  const frames = powers(samples)
  const threshold = Math.max(...frames, 0) * 10 ** (-SILENT_DB / 10)
  if (!(threshold > 0)) return new Float32Array(0)
  const first = frames.findIndex((power) => power > threshold)
  const last = frames.findLastIndex((power) => power > threshold)
  return samples.subarray(
    Math.max(0, first * FRAME - LEAD_SAMPLES),
    Math.min(samples.length, (last + 1) * FRAME + TAIL_SAMPLES),
  )
}

function gainFor(samples: Float32Array): number {
  const frames = powers(samples)
  const floor = Math.max(...frames) * 10 ** (-VOICED_DB / 10)
  const voiced = frames.filter((power) => power >= floor)
  const rms = Math.sqrt(voiced.reduce((sum, power) => sum + power, 0) / voiced.length)
  return (32_768 * 10 ** (LEVEL_DBFS / 20)) / rms
}

function toSamples(samples: Float32Array, gain: number): Int16Array {
  const sound = new Int16Array(samples.length)
  for (let index = 0; index < samples.length; index++) {
    const share = ((samples[index] as number) * gain) / 32_768
    const size = Math.abs(share)
    const rounded = size <= KNEE ? size : KNEE + (0.97 - KNEE) * Math.tanh((size - KNEE) / (0.97 - KNEE))
    sound[index] = Math.round(Math.sign(share) * rounded * 32_767)
  }
  return sound
}

function fade(sound: Int16Array): Int16Array {
  const last = sound.length - 1
  for (let index = 0; index < Math.min(FADE_IN_SAMPLES, sound.length); index++) {
    sound[index] = ((sound[index] as number) * index) / FADE_IN_SAMPLES
  }
  for (let index = 0; index < Math.min(FADE_OUT_SAMPLES, sound.length); index++) {
    sound[last - index] = ((sound[last - index] as number) * index) / FADE_OUT_SAMPLES
  }
  return sound
}

export const silence = (ms: number): Sound => new Int16Array(Math.round((ms * SAMPLE_RATE) / 1000))

export function join(parts: readonly Sound[]): Sound {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
