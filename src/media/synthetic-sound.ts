import type { Random } from '../random.ts'
import type { Pcm } from './types.ts'

/** Sounds made by arithmetic, for the tests and benches of the detectors: no recordings, the same for the same seed. */

const RATE_HZ = 8000

export const silence = (ms: number): Pcm => new Int16Array(ms * 8)

export function tone(hz: number, ms: number, amplitude = 6000): Pcm {
  return Int16Array.from({ length: ms * 8 }, (_, index) => amplitude * Math.sin((2 * Math.PI * hz * index) / RATE_HZ))
}

export function joined(...sounds: Pcm[]): Pcm {
  const whole = new Int16Array(sounds.reduce((length, sound) => length + sound.length, 0))
  let at = 0
  for (const sound of sounds) {
    whole.set(sound, at)
    at += sound.length
  }
  return whole
}

/** Adds the line's hiss: white noise of the given root mean square. */
export function noisy(sound: Pcm, rms: number, random: Random): Pcm {
  const span = rms * Math.sqrt(12)
  const chance = random.bytes(sound.length * 2)
  return sound.map((sample, index) => {
    const noise = (chance.readUInt16LE(index * 2) / 65536 - 0.5) * span
    return Math.max(-32768, Math.min(32767, sample + noise))
  })
}

/**
 * Not speech, but shaped like it: a gliding voice of harmonics under moving formants, in syllables of 150–280 ms that
 * swell and fade, short breaks between them, a consonant's noise before some. Detectors of voice take it for voice.
 */
export function speechLike(ms: number, random: Random, amplitude = 7000): Pcm {
  const sound = new Int16Array(ms * 8)
  for (let at = 0; at < sound.length; ) {
    const length = Math.min(sound.length - at, (150 + random.int(130)) * 8)
    sound.set(syllable(length, random, amplitude), at)
    at += length + (20 + random.int(40)) * 8
  }
  return sound
}

function syllable(length: number, random: Random, amplitude: number): Pcm {
  const pitchHz = 100 + random.int(80)
  const glide = ((random.int(2) === 0 ? 1 : -1) * (10 + random.int(25))) / 100
  const formantsHz = [300 + random.int(500), 900 + random.int(1300), 2400 + random.int(500)]
  const harmonics = Math.floor(3400 / (pitchHz * 1.3))
  const strength = Array.from({ length: harmonics }, (_, order) => formantGain((order + 1) * pitchHz, formantsHz))
  const consonant = random.int(2) === 0 ? 0 : 300
  let phase = 0
  return Int16Array.from({ length }, (_, index) => {
    const along = index / length
    phase += (2 * Math.PI * pitchHz * (1 + glide * along)) / RATE_HZ
    let voice = 0
    for (let order = 0; order < harmonics; order++) voice += strength[order]! * Math.sin((order + 1) * phase)
    const hiss = index < consonant ? (random.int(2001) - 1000) / 1000 : 0
    return amplitude * Math.sin(Math.PI * along) ** 0.5 * (voice * 0.4 + hiss * 0.2)
  })
}

function formantGain(hz: number, formantsHz: number[]): number {
  return formantsHz.reduce(
    (gain, formant, index) => gain + Math.exp(-(((hz - formant) / 220) ** 2)) / (index + 1),
    0.03,
  )
}

/** Cut into the frames that detectors are fed with; the rest is filled up with silence. */
export function* framesOf(sound: Pcm, samples = 160): Generator<Pcm> {
  for (let at = 0; at < sound.length; at += samples) {
    const frame = new Int16Array(samples)
    frame.set(sound.subarray(at, at + samples))
    yield frame
  }
}
