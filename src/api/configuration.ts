import { type Static, Type } from 'typebox'
import type { ApplicationSettings, Limit } from '../store/types.ts'
import { DAY_MS, formatDuration, formatLimit, parseDuration, parseLimit, YEAR_MS } from './durations.ts'
import type { Problems } from './problems.ts'
import { Count } from './schemas.ts'

/**
 * An application's configuration in its two dialects (contract §1.4): version 1 counts milliseconds, version 2 writes
 * `15m` and `1/3s`. Integrators mixed them, so both are read on either path; what is answered goes by the path.
 */

const Ms = (says: string) => Type.Integer({ minimum: 1, description: `Version 1: ${says}, in milliseconds.` })
const LimitText = (example: string, says: string) =>
  Type.String({
    maxLength: 40,
    examples: [example],
    description: `Version 2: ${says}, {attempts}/{length}{ms|s|m|h|d}.`,
  })

export const ConfigurationInput = Type.Partial(
  Type.Object({
    pinAttempts: Count({ description: 'Checks per PIN.', examples: [10] }),
    allowMultiplePinVerifications: Type.Boolean({
      description: 'Whether a verified PIN may be verified again. Default true.',
    }),
    pinTimeToLive: Type.Unsafe<string | number>({
      type: ['string', 'integer'],
      description: 'Life of a PIN: `15m` in version 2, 900000 (milliseconds) in version 1. At most one year.',
      examples: ['15m'],
    }),
    verifyPinLimit: LimitText('1/3s', 'verifications per number'),
    sendPinPerApplicationLimit: LimitText('10000/1d', 'PINs sent per application'),
    sendPinPerPhoneNumberLimit: LimitText('3/1d', 'PINs sent per number'),
    verificationAttempts: Count({ description: 'Version 1: verifications per number and interval.' }),
    verificationIntervalLength: Ms('that interval'),
    initiationAttempts: Count({ description: 'Version 1: PINs sent per number and interval.' }),
    initiationIntervalLength: Ms('that interval'),
    overallInitiationAttempts: Count({ description: 'Version 1: PINs sent per application and interval.' }),
    overallInitiationIntervalLength: Ms('that interval'),
  }),
)
type ConfigurationInput = Static<typeof ConfigurationInput>

type LimitName = 'verifyPinLimit' | 'sendPinPerPhoneNumberLimit' | 'sendPinPerApplicationLimit'

/** One limit, three wire fields. */
const LIMITS = [
  {
    name: 'verifyPinLimit',
    attempts: 'verificationAttempts',
    interval: 'verificationIntervalLength',
    longestMs: DAY_MS,
    longest: 'one day',
  },
  {
    name: 'sendPinPerPhoneNumberLimit',
    attempts: 'initiationAttempts',
    interval: 'initiationIntervalLength',
    longestMs: YEAR_MS,
    longest: 'one year',
  },
  {
    name: 'sendPinPerApplicationLimit',
    attempts: 'overallInitiationAttempts',
    interval: 'overallInitiationIntervalLength',
    longestMs: YEAR_MS,
    longest: 'one year',
  },
] as const

/** What a request's configuration changes of `base`. Mistakes go to `problems`. */
export function readConfiguration(
  given: ConfigurationInput,
  base: ApplicationSettings,
  problems: Problems,
): Partial<ApplicationSettings> {
  const settings: Partial<ApplicationSettings> = {}
  if (given.pinAttempts !== undefined) settings.pinAttempts = given.pinAttempts
  if (given.allowMultiplePinVerifications !== undefined) {
    settings.allowMultiplePinVerifications = given.allowMultiplePinVerifications
  }
  if (given.pinTimeToLive !== undefined) settings.pinTimeToLive = readTimeToLive(given.pinTimeToLive, problems)
  for (const limit of LIMITS) {
    const read = readLimit(given, limit, base[limit.name], problems)
    if (read) settings[limit.name] = read
  }
  return settings
}

function readTimeToLive(given: string | number, problems: Problems): { ms: number; text?: string } {
  const ms = typeof given === 'number' ? given : (parseDuration(given) ?? 0)
  if (ms < 1) problems.add('configuration.pinTimeToLive', 'must be a time above zero, such as 15m, 90s or 1d')
  if (ms > YEAR_MS) problems.add('configuration.pinTimeToLive', 'must not be longer than one year')
  return typeof given === 'number' ? { ms } : { ms, text: given }
}

function readLimit(
  given: ConfigurationInput,
  { name, attempts, interval, longestMs, longest }: (typeof LIMITS)[number],
  base: Limit,
  problems: Problems,
): Limit | undefined {
  const text = given[name]
  const numbers = given[attempts] !== undefined || given[interval] !== undefined
  if (text === undefined && !numbers) return undefined
  if (text !== undefined && numbers) {
    problems.add(`configuration.${name}`, `is given twice: leave out ${attempts} and ${interval}`)
    return undefined
  }
  const parsed = text === undefined ? undefined : parseLimit(text)
  if (text !== undefined && !parsed) {
    problems.add(`configuration.${name}`, 'must be a limit of at least one in a time above zero, such as 3/1d or 1/3s')
    return undefined
  }
  const limit: Limit = parsed
    ? { ...parsed, text: text! }
    : { count: given[attempts] ?? base.count, windowMs: given[interval] ?? base.windowMs }
  if (limit.count > 2_147_483_647) problems.add(`configuration.${name}`, 'must not allow more than 2147483647')
  if (limit.windowMs > longestMs) {
    problems.add(`configuration.${text === undefined ? interval : name}`, `must not be longer than ${longest}`)
  }
  return limit
}

const constants = { initiationThrottlingProlongationFactor: 1, initiationThrottlingWaitPeriod: 0 }

const V1_FIELDS = {
  pinTimeToLive: Type.Integer(),
  pinAttempts: Type.Integer(),
  verificationAttempts: Type.Integer(),
  verificationIntervalLength: Type.Integer(),
  initiationAttempts: Type.Integer(),
  initiationIntervalLength: Type.Integer(),
  overallInitiationAttempts: Type.Integer(),
  overallInitiationIntervalLength: Type.Integer(),
}
/** As reading answers it; writing answers two constants more, whose meaning is nowhere told (contract §1.4). */
export const ConfigurationV1 = Type.Object(V1_FIELDS)
export const ConfigurationV1Written = Type.Object({
  ...V1_FIELDS,
  initiationThrottlingProlongationFactor: Type.Number(),
  initiationThrottlingWaitPeriod: Type.Number(),
})
export const ConfigurationV2 = Type.Object({
  pinAttempts: Type.Integer(),
  allowMultiplePinVerifications: Type.Boolean(),
  pinTimeToLive: Type.String(),
  verifyPinLimit: Type.String(),
  sendPinPerApplicationLimit: Type.String(),
  sendPinPerPhoneNumberLimit: Type.String(),
})

export const configurationV1 = (settings: ApplicationSettings): Static<typeof ConfigurationV1> => ({
  pinTimeToLive: settings.pinTimeToLive.ms,
  pinAttempts: settings.pinAttempts,
  verificationAttempts: settings.verifyPinLimit.count,
  verificationIntervalLength: settings.verifyPinLimit.windowMs,
  initiationAttempts: settings.sendPinPerPhoneNumberLimit.count,
  initiationIntervalLength: settings.sendPinPerPhoneNumberLimit.windowMs,
  overallInitiationAttempts: settings.sendPinPerApplicationLimit.count,
  overallInitiationIntervalLength: settings.sendPinPerApplicationLimit.windowMs,
})

export const configurationV1Written = (settings: ApplicationSettings): Static<typeof ConfigurationV1Written> => ({
  ...configurationV1(settings),
  ...constants,
})

export function configurationV2(settings: ApplicationSettings): Static<typeof ConfigurationV2> {
  const written = (name: LimitName) => settings[name].text ?? formatLimit(settings[name])
  return {
    pinAttempts: settings.pinAttempts,
    allowMultiplePinVerifications: settings.allowMultiplePinVerifications,
    pinTimeToLive: settings.pinTimeToLive.text ?? formatDuration(settings.pinTimeToLive.ms),
    verifyPinLimit: written('verifyPinLimit'),
    sendPinPerApplicationLimit: written('sendPinPerApplicationLimit'),
    sendPinPerPhoneNumberLimit: written('sendPinPerPhoneNumberLimit'),
  }
}
