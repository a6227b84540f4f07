/** Ends of the pass band and the filter's reach: flat to 3.4 kHz, everything that would fold back 60 dB down. */
const CUTOFF_HZ = 3700
const REACH_S = 0.0025

const filters = new Map<string, Float32Array[]>()

/**
 * Changes the sample rate with a windowed-sinc filter: taking every n-th sample would fold hiss into the voice, and
 * narrow-band speech has no room for that.
 */
export function resample(samples: Int16Array | Float32Array, fromHz: number, toHz: number): Float32Array {
  if (fromHz === toHz) return Float32Array.from(samples)
  const common = gcd(fromHz, toHz)
  const phases = toHz / common
  const step = fromHz / common
  const filter = filterOf(fromHz, toHz, phases)
  const taps = filter[0]?.length ?? 0
  const output = new Float32Array(Math.floor((samples.length * toHz) / fromHz))
  for (let index = 0; index < output.length; index++) {
    const position = index * step
    const coefficients = filter[position % phases] as Float32Array
    const start = Math.floor(position / phases) - taps / 2 + 1
    let sum = 0
    for (let tap = Math.max(0, -start), last = Math.min(taps, samples.length - start); tap < last; tap++) {
      sum += (coefficients[tap] as number) * (samples[start + tap] as number)
    }
    output[index] = sum
  }
  return output
}

/** One row of coefficients per fraction of an input sample that an output sample can fall on. */
function filterOf(fromHz: number, toHz: number, phases: number): Float32Array[] {
  const name = `${fromHz}>${toHz}`
  const known = filters.get(name)
  if (known) return known
  const cutoff = Math.min(CUTOFF_HZ, 0.46 * toHz, 0.46 * fromHz) / fromHz
  const half = Math.ceil(REACH_S * fromHz)
  const made = Array.from({ length: phases }, (_, phase) => {
    const row = new Float32Array(2 * half)
    let gain = 0
    for (let tap = 0; tap < row.length; tap++) {
      const distance = tap - half + 1 - phase / phases
      row[tap] = 2 * cutoff * sinc(2 * cutoff * distance) * blackman(distance / half)
      gain += row[tap] as number
    }
    return row.map((value) => value / gain)
  })
  filters.set(name, made)
  return made
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))
const blackman = (x: number) =>
  Math.abs(x) >= 1 ? 0 : 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x)
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))
