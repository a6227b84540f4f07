import { type Numbers, sealedNumbers } from '../../src/store/numbers.ts'
import type {
  AdmitResend,
  AdmitSend,
  ApplicationSettings,
  BeginAttempt,
  Begun,
  Channel,
  CloseAttempt,
  CountCheck,
  Counted,
  Job,
  NewDelivery,
  Store,
} from '../../src/store/types.ts'

/**
 * Where an engine keeps a database: opened again, it is the same one, and opened twice there are two nodes on it. Numbers
 * are sealed with TEST_NUMBERS where nothing else is said.
 */
export type Engine = {
  freshPlace(): Promise<string>
  open(place: string, options?: { numbers?: Numbers }): Promise<Store>
}

export const OLD_KEY = { id: 'old.key', key: Buffer.alloc(32, 1) }
export const NEW_KEY = { id: 'new.key', key: Buffer.alloc(32, 2) }
export const TEST_NUMBERS = sealedNumbers([OLD_KEY])

export const START = 1_764_000_000_000
export const MINUTE = 60_000
export const DAY = 86_400_000
export const NODE = 'node-a'
export const LEASE_MS = 30_000

export const SETTINGS: ApplicationSettings = {
  pinAttempts: 3,
  allowMultiplePinVerifications: true,
  pinTimeToLive: { ms: 15 * MINUTE, text: '15m' },
  verifyPinLimit: { count: 1, windowMs: 3000, text: '1/3s' },
  sendPinPerApplicationLimit: { count: 10_000, windowMs: DAY },
  sendPinPerPhoneNumberLimit: { count: 3, windowMs: DAY, text: '3/1d' },
}

let made = 0
/** An id that no other test, and no other process, has; not in the order of time, as ids of other kinds are not. */
export const newId = (kind: string): string => `${(7919 * ++made) % 10_007}-${kind}-${process.pid}-${made}`

export type World = ReturnType<typeof worldOf>

/** An account with money, an application and a template, and the usual requests with everything in them that must be. */
export async function makeWorld(store: Store, options: { balanceMicros?: number } = {}): Promise<World> {
  const accountId = newId('account')
  const applicationId = newId('application')
  const templateId = newId('template')
  await store.ensureAccount({ accountId, name: 'Acme', createdAt: START }, options.balanceMicros ?? 1_000_000)
  await store.createApplication({
    applicationId,
    accountId,
    processId: newId('process'),
    name: 'sign-up',
    enabled: true,
    settings: SETTINGS,
    createdAt: START,
  })
  await store.createTemplate({
    templateId,
    applicationId,
    accountId,
    pinType: 'NUMERIC',
    pinLength: 4,
    text: 'Your code is {{pin}}',
    placeholder: '{{pin}}',
    language: 'en',
    createdAt: START,
  })
  return worldOf(store, { accountId, applicationId, templateId }, NODE)
}

type Ids = { accountId: string; applicationId: string; templateId: string }

/** A world as one node sees it. */
function worldOf(store: Store, ids: Ids, nodeId: string) {
  const { accountId, applicationId, templateId } = ids

  type PinChange = Partial<AdmitSend['pin']>
  type SendChange = Partial<Omit<AdmitSend, 'pin' | 'delivery'>> & { pin?: PinChange; delivery?: Partial<NewDelivery> }

  const delivery = (change: Partial<NewDelivery> = {}): NewDelivery => ({
    deliveryId: newId('delivery'),
    channel: 'voice',
    reserveMicros: 1000,
    ...change,
  })

  const sendOf = ({ pin, delivery: owed, ...rest }: SendChange = {}): AdmitSend => {
    const now = rest.now ?? START
    return {
      pin: {
        pinId: newId('pin'),
        accountId,
        applicationId,
        templateId,
        codeKeyId: 'key-1',
        to: '41793026727',
        pinType: 'NUMERIC',
        pinLength: 4,
        createdAt: now,
        expiresAt: now + 15 * MINUTE,
        maxChecks: 3,
        allowMultiple: true,
        ...pin,
      },
      delivery: delivery(owed),
      counted: [],
      now,
      ...rest,
    }
  }

  /** Sends and gives back the ids; fails where it is refused. */
  async function send(change: SendChange = {}): Promise<{ pinId: string; deliveryId: string }> {
    const admission = await store.admitSend(sendOf(change))
    if (admission.kind !== 'owed') throw new Error(`refused: ${admission.kind}`)
    return admission
  }

  type ResendChange = Partial<Omit<AdmitResend, 'delivery'>> & { delivery?: Partial<NewDelivery> }
  const resend = (pinId: string, { delivery: owed, ...rest }: ResendChange = {}) =>
    store.admitResend({
      accountId,
      pinId,
      delivery: delivery(owed),
      coolDownMs: 10_000,
      maxResends: 3,
      counted: [],
      now: START,
      ...rest,
    })

  const check = (pinId: string, matches: boolean, change: Partial<CountCheck> = {}) =>
    store.countCheck({ accountId, pinId, matches, counted: [], now: START, ...change })

  const claim = (change: { most?: number; nodeId?: string; now?: number; channel?: Channel } = {}): Promise<Job[]> =>
    store.claimDeliveries({ nodeId, channel: 'voice', most: 100, leaseMs: LEASE_MS, now: START, ...change })

  /** Takes everything that is owed and begins an attempt at the delivery asked for. */
  async function claimAndBegin(deliveryId: string, now = START): Promise<string> {
    await claim({ now })
    return begin(deliveryId, now)
  }

  async function begin(deliveryId: string, now = START): Promise<string> {
    const attemptId = newId('attempt')
    const { kind } = await tryToBegin(deliveryId, { attemptId, now })
    if (kind !== 'begun') throw new Error(`no attempt may begin at ${deliveryId}: ${kind}`)
    return attemptId
  }

  const tryToBegin = (deliveryId: string, change: Partial<BeginAttempt> = {}): Promise<Begun> =>
    store.beginAttempt({
      attemptId: newId('attempt'),
      deliveryId,
      nodeId,
      trunk: 'trunk-1',
      now: START,
      ...change,
    })

  const close = (deliveryId: string, change: Partial<CloseAttempt> = {}) =>
    store.closeAttempt({
      deliveryId,
      nodeId,
      disposition: 'heard',
      evidence: { sipStatus: 200 },
      chargeMicros: 0,
      final: true,
      event: { disposition: 'heard' },
      now: START,
      ...change,
    })

  return {
    store,
    nodeId,
    ...ids,
    /** The same world, seen by another node. */
    on: (other: Store, otherNode: string) => worldOf(other, ids, otherNode),
    sendOf,
    send,
    resend,
    check,
    claim,
    claimAndBegin,
    begin,
    tryToBegin,
    close,
  }
}

export const limit = (name: string, key: string, count: number, windowMs: number, number?: string): Counted => ({
  name,
  key,
  count,
  windowMs,
  ...(number !== undefined && { number }),
})
