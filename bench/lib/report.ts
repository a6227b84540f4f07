import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release } from 'node:os'

/** What a benchmark says: one JSON object a line on stdout. Words for people go to stderr. */
export type Line = {
  name: string
  value: number
  unit: string
  /** What the issue wants, e.g. `>= 8000`; absent where a figure is told for its own sake. */
  aim?: string
  /** The value of each round; `value` is their median. */
  rounds?: number[]
  /** Everything that must be known to read the figure. */
  note?: string
}

const machine = `${cpus().length} shared cores ${cpus()[0]?.model.trim() ?? 'unknown'}, Linux ${release()}, loopback`
const commit = (() => {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
})()

/**
 * CPU a fixed piece of arithmetic takes here and now, in ms: cores that are shared with strangers are not equally fast at
 * every hour, and two runs can be compared by it.
 */
const yardstick = (() => {
  let known: number | undefined
  return (): number => {
    if (known !== undefined) return known
    const before = process.cpuUsage()
    let x = 0
    for (let i = 0; i < 2e7; i++) x = (x * 31 + i) | 0
    const { user } = process.cpuUsage(before)
    known = x === 1 ? 0 : user / 1000
    return known
  }
})()

/** Prints the median of the rounds (or the one value) as a JSON line. */
export function report(line: Omit<Line, 'value' | 'rounds'> & { value: number | number[] }): void {
  const { value, ...rest } = line
  const rounds = Array.isArray(value) ? value.map(tidy) : undefined
  const one = Array.isArray(value) ? median(value) : value
  const met = rest.aim === undefined ? undefined : meets(one, rest.aim)
  const { name, unit, ...words } = rest
  const context = {
    node: process.version,
    machine,
    commit,
    load1: load1(),
    yardstickMs: tidy(yardstick()),
    at: new Date().toISOString(),
  }
  process.stdout.write(
    `${JSON.stringify({ name, value: tidy(one), unit, ...words, ...(met !== undefined && { met }), ...(rounds && { rounds }), ...context })}\n`,
  )
}

/** Whether a value keeps an aim such as `<= 10`. */
export function meets(value: number, aim: string): boolean {
  const [, sign, bound] = /^(>=|<=|<|>|=)\s*([\d.]+)/.exec(aim) ?? []
  if (!sign) throw new Error(`the aim ${aim} can not be read`)
  const limit = Number(bound)
  if (sign === '>=') return value >= limit
  if (sign === '<=') return value <= limit
  if (sign === '<') return value < limit
  return sign === '>' ? value > limit : value === limit
}

export const say = (words: string): void => {
  process.stderr.write(`${words}\n`)
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** The value that a share of all values does not pass. */
export function percentile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** How many rounds: BENCH_ROUNDS, else what the benchmark finds enough. */
export const roundsOr = (usual: number): number => Number(process.env.BENCH_ROUNDS ?? usual)

/** Work to do in a round: BENCH_SCALE makes all of them smaller, to see that a benchmark runs. */
export const scaled = (count: number): number => Math.max(1, Math.round(count * Number(process.env.BENCH_SCALE ?? 1)))

const tidy = (value: number): number => (Number.isFinite(value) ? Number(value.toPrecision(4)) : value)

const load1 = (): number => Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0])
