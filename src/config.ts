import { isIP } from 'node:net'
import { type ConfigFile, readConfigFile, wrong } from './config-file.ts'
import { isDatabaseUrl } from './database-url.ts'
import { type Micros, parseMicros } from './money.ts'

/** Everything that can be set, typed, cross-checked and frozen. Secrets live in an object of their own. */
export type Settings = {
  http: { host: string; port: number }
  dataDir: string
  /** PostgreSQL where there is a URL, which may hold a password (`shownUrl` of the store hides it); else SQLite in the data directory. */
  database: { url?: string; poolSize: number }
  /** For how many days what is over is kept, 0 for ever; some accounts have their own. */
  retention: { days: number; accounts: Record<string, number> }
  logLevel: string
  callWaitMs: number
  sandbox: { on: boolean; ringTimeoutMs: number; pricePerMinute: Micros }
  trunks: TrunkSettings[]
  routes: { prefix: string; trunks: string[]; pricePerMinute: Micros; incrementS: number; caller: string }[]
  account: { balanceMicros: Micros; currency: string }
  limits: {
    resendCoolDownMs: number
    resendsPerPin: number
    resendsPerApplication: { count: number; windowMs: number }
  }
  calls: { proof: 'detect' | 'keypress'; longestMs: number; concurrency: number; drainMs: number; leaseMs: number }
  sip: { host: string; port: number; advertisedHost: string }
  media: { from: number; to: number; workers: number }
  smsPriceMicros: Micros
}

export type TrunkSettings = {
  name: string
  host: string
  port: number
  user?: string
  password?: string
  numberFormat: 'plus' | 'digits'
  codecs: ('PCMU' | 'PCMA')[]
  ringTimeoutMs: number
  noResponseMs: number
  callsPerSecond: number
  concurrency: number
}

/** What was given as a secret; what is absent is made at the first start (see `key-files.ts`). */
export type GivenSecrets = { apiKey?: string; masterKey?: string; user?: string; password?: string }

type Env = Record<string, string | undefined>

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Reads the environment, and the file that PINCALL_CONFIG names. Throws a sentence that says what a setting wanted. */
export function readConfig(env: Env): { settings: Settings; secrets: GivenSecrets } {
  for (const key of Object.keys(env)) {
    if (key.startsWith('PINCALL_') && !KNOWN.has(key) && !ELSEWHERE.has(key))
      throw wrong(`${key} is not a setting of Pincall: known are ${[...KNOWN].join(', ')}.`)
  }
  const configPath = env.PINCALL_CONFIG || undefined
  const file: ConfigFile = configPath ? readConfigFile(configPath) : {}
  const trunks = (file.trunks ?? []).map(trunkOf)
  const on = onOff(env, 'PINCALL_SANDBOX') ?? trunks.length === 0
  if (on && trunks.length > 0 && !file.sandbox?.besideTrunks) {
    throw wrong(
      'PINCALL_SANDBOX is on beside real trunks: turn it off, or set sandbox.besideTrunks: true in the configuration file if you mean it.',
    )
  }
  const sipHost = file.sip?.host ?? (trunks.length ? '0.0.0.0' : '127.0.0.1')
  const settings: Settings = {
    http: { host: env.PINCALL_HTTP_HOST || '127.0.0.1', port: integer(env, 'PINCALL_HTTP_PORT', 8020, 0, 65535) },
    dataDir: env.PINCALL_DATA_DIR || './data',
    database: { ...databaseUrl(env), poolSize: file.database?.poolSize ?? 10 },
    retention: { days: file.retention?.days ?? 90, accounts: { ...file.retention?.accounts } },
    logLevel: oneOf(env, 'PINCALL_LOG_LEVEL', LEVELS) ?? 'info',
    callWaitMs: integer(env, 'PINCALL_CALL_WAIT_S', 25, 0, 120) * 1000,
    sandbox: {
      on,
      ringTimeoutMs: (file.sandbox?.ringTimeoutS ?? 6) * 1000,
      pricePerMinute: money(file.sandbox?.pricePerMinute, 10_000),
    },
    trunks,
    routes: (file.routes ?? []).map((route) => ({
      prefix: route.prefix,
      trunks: route.trunks,
      pricePerMinute: money(route.pricePerMinute, 0),
      incrementS: route.incrementS ?? 1,
      caller: route.caller.replace('+', ''),
    })),
    account: {
      balanceMicros: money(file.account?.balance, on ? 1000_000_000 : 0),
      currency: file.account?.currency ?? 'EUR',
    },
    limits: {
      resendCoolDownMs: (file.limits?.resendCoolDownS ?? 10) * 1000,
      resendsPerPin: file.limits?.resendsPerPin ?? 5,
      resendsPerApplication: limitOf(file.limits?.resendsPerApplication ?? '10000/1d'),
    },
    calls: {
      proof: file.calls?.proof ?? 'detect',
      longestMs: (file.calls?.longestS ?? 60) * 1000,
      concurrency: file.calls?.concurrency ?? 500,
      drainMs: (file.calls?.drainS ?? 20) * 1000,
      leaseMs: (file.calls?.leaseS ?? 30) * 1000,
    },
    sip: {
      host: sipHost,
      port: file.sip?.port ?? (trunks.length ? 5060 : 0),
      advertisedHost: file.sip?.advertisedHost ?? sipHost,
    },
    media: {
      from: file.media?.portFrom ?? 10_000,
      to: file.media?.portTo ?? 32_766,
      workers: file.media?.workers ?? 1,
    },
    smsPriceMicros: money(file.sms?.price, 0),
  }
  crossCheck(settings, configPath ?? 'the configuration')
  return { settings: freeze(settings), secrets: secretsOf(env) }
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

const KNOWN = new Set([
  'PINCALL_HTTP_HOST',
  'PINCALL_HTTP_PORT',
  'PINCALL_DATA_DIR',
  'PINCALL_DATABASE_URL',
  'PINCALL_API_KEY',
  'PINCALL_SECRET_KEY',
  'PINCALL_SANDBOX',
  'PINCALL_CONFIG',
  'PINCALL_CALL_WAIT_S',
  'PINCALL_ACCOUNT_USER',
  'PINCALL_ACCOUNT_PASSWORD',
  'PINCALL_LOG_LEVEL',
])
/** Names of ours that are read elsewhere: by the examples, by tests. */
const ELSEWHERE = new Set(['PINCALL_URL', 'PINCALL_TEST_SEED'])

/** What is wrong with a URL is not quoted: it may hold a password. */
function databaseUrl(env: Env): { url?: string } {
  const url = env.PINCALL_DATABASE_URL
  if (!url) return {}
  if (!isDatabaseUrl(url)) {
    throw wrong(
      'PINCALL_DATABASE_URL wants postgres://user:password@host:5432/database (several hosts as host1:5432,host2:5432; other signs of a password percent-encoded), or nothing for SQLite in PINCALL_DATA_DIR.',
    )
  }
  return { url }
}

function secretsOf(env: Env): GivenSecrets {
  const {
    PINCALL_API_KEY: apiKey,
    PINCALL_SECRET_KEY: masterKey,
    PINCALL_ACCOUNT_USER: user,
    PINCALL_ACCOUNT_PASSWORD: password,
  } = env
  if (apiKey && !/^[\x21-\x7e]{16,200}$/.test(apiKey)) {
    throw wrong('PINCALL_API_KEY wants 16 to 200 printable characters without spaces.')
  }
  if (masterKey && !/^([\w.-]+:)?[0-9a-f]{64}(,[\w.-]+:[0-9a-f]{64})*$/i.test(masterKey)) {
    throw wrong(
      'PINCALL_SECRET_KEY wants 64 hex digits (32 bytes), or id:hex pairs joined by commas with the current one first.',
    )
  }
  if (user && !/^[^:\s]{1,100}$/.test(user))
    throw wrong('PINCALL_ACCOUNT_USER wants up to 100 characters without colon or space.')
  if (password && password.length < 8) throw wrong('PINCALL_ACCOUNT_PASSWORD wants at least 8 characters.')
  return {
    ...(apiKey && { apiKey }),
    ...(masterKey && { masterKey }),
    ...(user && { user }),
    ...(password && { password }),
  }
}

const trunkOf = (trunk: NonNullable<ConfigFile['trunks']>[number]): TrunkSettings => ({
  name: trunk.name,
  host: trunk.host,
  port: trunk.port ?? 5060,
  ...(trunk.user && { user: trunk.user }),
  ...(trunk.password && { password: trunk.password }),
  numberFormat: trunk.numberFormat ?? 'plus',
  codecs: trunk.codecs ?? ['PCMA', 'PCMU'],
  ringTimeoutMs: (trunk.ringTimeoutS ?? 45) * 1000,
  noResponseMs: trunk.noResponseMs ?? 4000,
  callsPerSecond: trunk.callsPerSecond ?? 20,
  concurrency: trunk.concurrency ?? 200,
})

/** What no single field can know. */
function crossCheck(settings: Settings, path: string): void {
  const names = settings.trunks.map((trunk) => trunk.name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice) throw wrong(`${path}: two trunks are named ${twice}.`)
  for (const [i, route] of settings.routes.entries()) {
    const unknown = route.trunks.find((name) => !names.includes(name))
    if (unknown)
      throw wrong(
        `${path}: routes[${i}].trunks names ${unknown}, which is no trunk: known are ${names.join(', ') || 'none'}.`,
      )
  }
  const prefixes = settings.routes.map((route) => route.prefix)
  const doubled = prefixes.find((prefix, i) => prefixes.indexOf(prefix) !== i)
  if (doubled !== undefined) throw wrong(`${path}: two routes have the prefix "${doubled}".`)
  for (const [i, trunk] of settings.trunks.entries()) {
    if (!isIP(trunk.host)) throw wrong(`${path}: trunks[${i}].host wants an IP address and got ${trunk.host}.`)
    if (!trunk.user !== !trunk.password) throw wrong(`${path}: trunks[${i}] wants user and password together.`)
  }
  if (settings.trunks.length > 0 && ['0.0.0.0', '::'].includes(settings.sip.advertisedHost)) {
    throw wrong(
      `${path}: sip.advertisedHost is needed beside trunks: the address at which your carrier reaches this machine.`,
    )
  }
  if (settings.media.to - settings.media.from < 10)
    throw wrong(`${path}: media.portFrom to media.portTo wants at least ten ports.`)
}

function integer(env: Env, name: string, absent: number, from: number, to: number): number {
  const text = env[name]
  if (text === undefined || text === '') return absent
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < from || value > to)
    throw wrong(`${name} wants a whole number from ${from} to ${to} and got "${text}".`)
  return value
}

function onOff(env: Env, name: string): boolean | undefined {
  const text = env[name]?.toLowerCase()
  if (!text) return undefined
  if (['on', 'true', '1', 'yes'].includes(text)) return true
  if (['off', 'false', '0', 'no'].includes(text)) return false
  throw wrong(`${name} wants on or off and got "${env[name]}".`)
}

function oneOf<T extends string>(env: Env, name: string, values: readonly T[]): T | undefined {
  const text = env[name]
  if (!text) return undefined
  const value = values.find((each) => each === text)
  if (!value) throw wrong(`${name} wants one of ${values.join(', ')} and got "${text}".`)
  return value
}

const money = (text: string | undefined, absent: Micros): Micros => (text === undefined ? absent : parseMicros(text)!)

function limitOf(text: string): { count: number; windowMs: number } {
  const [, count, length, unit] = /^(\d+)\/(\d*)(ms|s|m|h|d)$/.exec(text)!
  return { count: Number(count), windowMs: Number(length || 1) * UNIT_MS[unit] }
}

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (inner && typeof inner === 'object') freeze(inner)
  return Object.freeze(value)
}
