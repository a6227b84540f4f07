/** Times and limits as version 2 writes them (contract §1.4): `15m`, `1/3s`, and without a length `m`, `3/d`. */

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const UNITS_LARGEST_FIRST = ['d', 'h', 'm', 's', 'ms']

export const DAY_MS = 86_400_000
export const YEAR_MS = 365 * DAY_MS

/** `15m` → 900000, `m` → 60000. Undefined for what is no time, or none at all (`0s`). */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{0,15})(ms|s|m|h|d)$/.exec(text)
  if (!match) return undefined
  const ms = (match[1] === '' ? 1 : Number(match[1])) * UNIT_MS[match[2]]
  return ms >= 1 && Number.isSafeInteger(ms) ? ms : undefined
}

/** `3/1d` → 3 in 86400000. Undefined for what is no limit; a limit of nothing (`0/1d`) is none. */
export function parseLimit(text: string): { count: number; windowMs: number } | undefined {
  const match = /^(\d{1,10})\/(.+)$/.exec(text)
  const windowMs = match ? parseDuration(match[2]) : undefined
  const count = Number(match?.[1])
  return windowMs !== undefined && count >= 1 ? { count, windowMs } : undefined
}

/** 900000 → `15m`: the largest unit that leaves no rest. */
export function formatDuration(ms: number): string {
  const unit = UNITS_LARGEST_FIRST.find((each) => ms % UNIT_MS[each] === 0) ?? 'ms'
  return `${ms / UNIT_MS[unit]}${unit}`
}

export const formatLimit = ({ count, windowMs }: { count: number; windowMs: number }): string =>
  `${count}/${formatDuration(windowMs)}`
