import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import { ManualClock } from '../clock.ts'
import type { Progress } from '../events/index.ts'
import { makeLog } from '../log.ts'
import { seededRandom } from '../random.ts'
import {
  type Application,
  type Delivery,
  openSqliteStore,
  type Store,
  sealedNumbers,
  type Template,
} from '../store/index.ts'
import { DEFAULT_SETTINGS, type Verification } from '../verification/index.ts'
import { type ApiDeps, buildApi, hashSecret } from './index.ts'

/** The wire with scripted verbs behind it, for tests: what it was asked is seen, what it gets back is said. */

export type Answered = { status: number; headers: Record<string, unknown>; text: string; body: Json }
// biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of every shape
type Json = any

export type Wired = {
  api: FastifyInstance
  clock: ManualClock
  store: Store
  registry: Registry
  /** What the verbs were asked, in order. */
  asked: [verb: string, ...args: unknown[]][]
  /** What the log says. */
  lines: Record<string, unknown>[]
  ready: { ready: boolean; reason?: string }
  progress(progress: Progress): void
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answered>
  [Symbol.asyncDispose](): Promise<void>
}

export const KEYS = {
  manage: 'manage-key-0000000000',
  send: 'send-key-000000000000',
  tfa: 'tfa-key-0000000000000',
  nothing: 'no-scope-key-00000000',
  other: 'other-account-key-000',
}
export const ACCOUNT = 'ACCOUNT0000000000000000000000001'
export const OTHER = 'ACCOUNT0000000000000000000000002'

export const application = (change: Partial<Application> = {}): Application => ({
  applicationId: '0933F3BC087D2A617AC6DCB2EF5B8A61',
  accountId: ACCOUNT,
  processId: 'FF33F3BC087D2A617AC6DCB2EF5B8AFF',
  name: 'shop',
  enabled: true,
  settings: DEFAULT_SETTINGS,
  createdAt: 1,
  ...change,
})

export const template = (change: Partial<Template> = {}): Template => ({
  templateId: 'B628A31410306DDB2BFB0D9CF1F3A3FF',
  applicationId: '0933F3BC087D2A617AC6DCB2EF5B8A61',
  accountId: ACCOUNT,
  pinType: 'NUMERIC',
  pinLength: 4,
  text: 'Your pin is {{pin}}',
  placeholder: '{{pin}}',
  createdAt: 1,
  ...change,
})

export const delivery = (change: Partial<Delivery> = {}): Delivery => ({
  deliveryId: '5F1C0E7DB21A4B7CA1DE3A2B0C9D8E7F',
  pinId: '9C817C6F8AF3D48F9FE553282AFA2B67',
  accountId: ACCOUNT,
  channel: 'voice',
  state: 'claimed',
  to: '41793026727',
  createdAt: 1,
  reservedMicros: 0,
  ...change,
})

const VERBS = [
  'createApplication',
  'updateApplication',
  'application',
  'applications',
  'createTemplate',
  'updateTemplate',
  'template',
  'templates',
  'sendPin',
  'resendPin',
  'checkPin',
  'verifications',
  'deliveries',
  'outcomeOf',
] as const satisfies (keyof Verification)[]

/** Opens the wire over an in-memory store with two accounts, their keys, and the verbs of `script`. */
export async function openWire(
  script: Partial<Verification> = {},
  change: Partial<ApiDeps> | ((basis: { store: Store; clock: ManualClock }) => Partial<ApiDeps>) = {},
): Promise<Wired> {
  const clock = new ManualClock()
  const lines: Record<string, unknown>[] = []
  const log = makeLog({ level: 'trace', destination: { write: (line) => void lines.push(JSON.parse(line)) } })
  const numbers = sealedNumbers([{ id: 'k1', key: Buffer.alloc(32, 7) }])
  const store = await openSqliteStore({ path: ':memory:', log, clock, numbers })
  await addAccounts(store)
  const asked: Wired['asked'] = []
  const listeners = new Set<(progress: Progress) => void>()
  const ready: Wired['ready'] = { ready: true }
  const registry = new Registry()
  const changed = typeof change === 'function' ? change({ store, clock }) : change
  const api = await buildApi({
    clock,
    random: seededRandom('api'),
    log,
    store,
    verification: scripted(script, asked),
    events: {
      after: (...args) => store.eventsAfter(...args),
      lastSeq: (accountId) => store.lastSeq(accountId),
      onEvent: (listener) => store.onEvent(listener),
      onProgress(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    callWaitMs: 25_000,
    readiness: () => ready,
    registry,
    ...changed,
  })
  return {
    api,
    clock,
    store,
    registry,
    asked,
    lines,
    ready,
    progress: (progress) => {
      for (const listener of listeners) listener(progress)
    },
    async call(method, url, body, headers = {}) {
      const response = await api.inject({
        method: method as 'GET',
        url,
        headers: {
          authorization: `App ${KEYS.manage}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const { statusCode: status, payload: text } = response
      const json = String(response.headers['content-type']).startsWith('application/json') && text !== ''
      return { status, headers: response.headers, text, body: json ? JSON.parse(text) : undefined }
    },
    async [Symbol.asyncDispose]() {
      await api.close()
      await store.close()
    },
  }
}

/** A verb that no test has scripted is a mistake of the test. */
function scripted(script: Partial<Verification>, asked: Wired['asked']): Verification {
  const verb = (name: keyof Verification) => {
    return async (...args: unknown[]) => {
      asked.push([name, ...args])
      const run = script[name] as ((...args: unknown[]) => unknown) | undefined
      if (!run) throw new Error(`${name} is not scripted`)
      return run(...args)
    }
  }
  return Object.fromEntries(VERBS.map((name) => [name, verb(name)])) as { [Name in keyof Verification]: never }
}

async function addAccounts(store: Store): Promise<void> {
  for (const accountId of [ACCOUNT, OTHER]) {
    await store.ensureAccount({ accountId, name: accountId, createdAt: 1 }, 12_500_000)
  }
  const key = (name: keyof typeof KEYS, accountId: string, scopes: string[], permissions: string[] = []) =>
    store.createKey({
      keyId: name.toUpperCase(),
      accountId,
      name,
      secretHash: hashSecret(KEYS[name]),
      enabled: true,
      scopes,
      permissions,
      allowedIps: [],
      createdAt: 1,
    })
  await key('manage', ACCOUNT, ['2fa:manage'])
  await key('send', ACCOUNT, ['2fa:pin:send'], ['ALL'])
  await key('tfa', ACCOUNT, [], ['TFA'])
  await key('nothing', ACCOUNT, ['sms:message:send'])
  await key('other', OTHER, ['2fa:manage'])
}

export const owed = {
  kind: 'owed',
  pinId: '9C817C6F8AF3D48F9FE553282AFA2B67',
  to: '41793026727',
  deliveryId: '5F1C0E7DB21A4B7CA1DE3A2B0C9D8E7F',
  joined: false,
} as const

/** Verbs that do whatever they are asked. */
export const everything = {
  createApplication: async () => application(),
  updateApplication: async () => application(),
  application: async () => application(),
  applications: async () => [application()],
  createTemplate: async () => template(),
  updateTemplate: async () => template(),
  template: async () => template(),
  templates: async () => [template()],
  sendPin: async () => owed,
  resendPin: async () => owed,
  checkPin: async () => ({
    pinId: '9C817C6F8AF3D48F9FE553282AFA2B67',
    to: '41793026727',
    verified: true,
    checksLeft: 0,
  }),
  verifications: async () => [],
  deliveries: async () => [delivery()],
  outcomeOf: async () => delivery({ disposition: 'heard' as const }),
}

/** The whole error body, as it must be. */
export const refused = (messageId: string, text: string, validationErrors?: Record<string, string[]>) => ({
  requestError: { serviceException: { messageId, text, ...(validationErrors && { validationErrors }) } },
})
