/** A 256-point Hann-windowed Fourier transform at 8 kHz: 31.25 Hz a bin, enough to tell a steady tone from a voice. */

export const WINDOW = 256
export const BIN_HZ = 8000 / WINDOW
const STAGES = 8

const HANN = Float64Array.from({ length: WINDOW }, (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / WINDOW))
const COS = Float64Array.from({ length: WINDOW / 2 }, (_, index) => Math.cos((2 * Math.PI * index) / WINDOW))
const SIN = Float64Array.from({ length: WINDOW / 2 }, (_, index) => -Math.sin((2 * Math.PI * index) / WINDOW))
const REVERSED = Uint8Array.from({ length: WINDOW }, (_, index) => {
  let reversed = 0
  for (let bit = 0; bit < STAGES; bit++) reversed |= ((index >> bit) & 1) << (STAGES - 1 - bit)
  return reversed
})

const real = new Float64Array(WINDOW)
const imaginary = new Float64Array(WINDOW)
const power = new Float64Array(WINDOW / 2)

/** The power of each bin of 256 samples. The array is the same at every call: read it at once. */
export function powerSpectrum(samples: Float64Array): Float64Array {
  for (let index = 0; index < WINDOW; index++) {
    real[REVERSED[index]!] = samples[index]! * HANN[index]!
    imaginary[index] = 0
  }
  for (let half = 1; half < WINDOW; half *= 2) butterflies(half)
  for (let bin = 0; bin < WINDOW / 2; bin++) power[bin] = real[bin]! ** 2 + imaginary[bin]! ** 2
  return power
}

function butterflies(half: number): void {
  const stride = WINDOW / (2 * half)
  for (let group = 0; group < WINDOW; group += 2 * half) {
    for (let index = 0; index < half; index++) {
      const top = group + index
      const bottom = top + half
      const cos = COS[index * stride]!
      const sin = SIN[index * stride]!
      const re = real[bottom]! * cos - imaginary[bottom]! * sin
      const im = real[bottom]! * sin + imaginary[bottom]! * cos
      real[bottom] = real[top]! - re
      imaginary[bottom] = imaginary[top]! - im
      real[top] = real[top]! + re
      imaginary[top] = imaginary[top]! + im
    }
  }
}

const FIRST_BIN = Math.ceil(190 / BIN_HZ)
const LAST_BIN = Math.floor(3440 / BIN_HZ)
const TONE_SHARE = 0.85

/** The frequency of the one tone that a spectrum consists of: five bins hold over 85 % of the telephone band's energy. */
export function singleToneHz(spectrum: Float64Array): number | undefined {
  let total = 0
  let peak = FIRST_BIN
  for (let bin = FIRST_BIN; bin <= LAST_BIN; bin++) {
    total += spectrum[bin]!
    if (spectrum[bin]! > spectrum[peak]!) peak = bin
  }
  let held = 0
  for (let bin = Math.max(FIRST_BIN, peak - 2); bin <= Math.min(LAST_BIN, peak + 2); bin++) held += spectrum[bin]!
  if (total === 0 || held < total * TONE_SHARE) return undefined
  return (peak + summit(spectrum[peak - 1]!, spectrum[peak]!, spectrum[peak + 1]!)) * BIN_HZ
}

/** Where between the bins the peak lies: a parabola through the logarithms of three. */
function summit(left: number, middle: number, right: number): number {
  if (left <= 0 || right <= 0) return 0
  const [a, b, c] = [Math.log(left), Math.log(middle), Math.log(right)]
  const curvature = a - 2 * b + c
  return curvature < 0 ? (0.5 * (a - c)) / curvature : 0
}
