/**
 * Money is a whole number of micro-units of the installation's currency (1 EUR = 1,000,000), as a JavaScript number:
 * exact up to nine thousand million EUR. Nothing here ever holds a fraction.
 */
export type Micros = number

/** What a call of `seconds` costs at `perMinute`, billed in steps of `incrementS` seconds, rounded up to a whole micro. */
export function callPrice(perMinute: Micros, seconds: number, incrementS: number): Micros {
  const billed = Math.ceil(seconds / incrementS) * incrementS
  return Math.ceil((perMinute * billed) / 60)
}

/** `"0.012"` → 12000. Refuses what is no plain non-negative decimal with at most six places. */
export function parseMicros(text: string): Micros | undefined {
  const match = /^(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text.trim())
  if (!match) return undefined
  return Number(match[1]) * 1_000_000 + Number((match[2] ?? '').padEnd(6, '0'))
}

/** 12000 → `"0.012"`. */
export function formatMicros(micros: Micros): string {
  const sign = micros < 0 ? '-' : ''
  const whole = Math.trunc(Math.abs(micros) / 1_000_000)
  const rest = String(Math.abs(micros) % 1_000_000)
    .padStart(6, '0')
    .replace(/0+$/, '')
  return `${sign}${whole}${rest ? `.${rest}` : ''}`
}
