import { type Logger, pino } from 'pino'
import { redactMsisdn } from './msisdn.ts'

export type Log = Logger

/** Fields that hold a secret wherever they stand: their values never reach a log line. */
const SECRET_FIELDS = ['authorization', 'apiKey', 'password', 'code', 'pin', 'token', 'secret', 'client_secret', 'key']

/**
 * Structured logs, one JSON object a line on stdout (or where `destination` says). Secrets are cut out by field name,
 * numbers in `to`, `msisdn` and `caller` lose their last four digits. Free text is the caller's duty: never a code in it.
 */
export function makeLog(options: { level?: string; destination?: { write(line: string): void } } = {}): Log {
  const redact = {
    paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
    censor: '[redacted]',
  }
  const number = (value: unknown) => (typeof value === 'string' ? redactMsisdn(value) : value)
  const settings = {
    level: options.level ?? 'info',
    redact,
    serializers: { to: number, msisdn: number, caller: number, err: errorOf },
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
  }
  return options.destination ? pino(settings, options.destination) : pino(settings)
}

/** An error's own code (EADDRINUSE, invalid) is no secret but has a secret's name: it gets one of its own. */
function errorOf(error: Error): object {
  const { code, ...rest } = pino.stdSerializers.err(error)
  return { ...rest, ...(code !== undefined && { errorCode: code }) }
}

export const silentLog: Log = pino({ level: 'silent' })
