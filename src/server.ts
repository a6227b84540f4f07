import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { buildApi, hashPassword, hashSecret } from './api/index.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Settings } from './config.ts'
import { type DeliveryDeps, runDeliveries, type SmsGateway } from './delivery/index.ts'
import { PincallError } from './errors.ts'
import { makeEvents } from './events/index.ts'
import type { Secrets } from './key-files.ts'
import type { Log } from './log.ts'
import { openMediaEngine } from './media/index.ts'
import { makeMetrics } from './metrics.ts'
import { systemRandom } from './random.ts'
import { makeRouting, makeTrunkLoad, type RouteRule, type Trunk } from './routing/index.ts'
import { openSandbox, type Sandbox, sandboxRoutes } from './sandbox/index.ts'
import { openSipEndpoint } from './sip/index.ts'
import { openSpeech, type VoiceChoice } from './speech/index.ts'
import { openSqliteStore, type Store } from './store/index.ts'
import { codeKeys, codeOf, fillText, makeVerification } from './verification/index.ts'
import { placeCall } from './voice/index.ts'

export type Server = { url: string; log: Log; close(): Promise<void> }

const DEFAULT_ACCOUNT = 'DEFAULT0000000000000000000000000'
const LEASE_MS = 30_000
const SWEEP_MS = 60_000
const SMS_AT_ONCE = 200
/** Voices whose clips the sandbox's phones understand: those of the calls placed lately. */
const VOICES_REMEMBERED = 8

/** Starts every room and introduces them to each other; the only place that knows them all. */
export async function startServer(settings: Settings, secrets: Secrets, log: Log, clock: Clock = systemClock): Promise<Server> {
  const random = systemRandom
  await using started = new AsyncDisposableStack() // what is open when a later room does not start
  const store = await openSqliteStore({ path: join(settings.dataDir, 'pincall.db'), log })
  started.defer(() => store.close())
  const keys = codeKeys(secrets.masterKeys)
  await rememberMasterKey(store, keys)
  await ensureDefaultAccount(store, settings, secrets, clock)

  const speech = await openSpeech({ log, clock })
  started.defer(() => speech.close())
  const media = await openMediaEngine({ workers: settings.media.workers, ports: settings.media, log })
  started.defer(() => media.close())
  const voices = rememberVoices()
  const sandbox = settings.sandbox.on ? await openSandbox({ clock, random, log, speech, host: '127.0.0.1', languagesSpoken: voices.spoken }) : undefined
  if (sandbox) started.defer(() => sandbox.close())

  const { trunks, rules } = peerings(settings, sandbox)
  const sip = await openSipEndpoint({
    bind: { host: settings.sip.host, port: settings.sip.port },
    advertisedHost: settings.sip.advertisedHost,
    userAgent: 'Pincall',
    clock,
    random,
    log,
    allowedPeers: () => trunks,
  })
  started.defer(() => sip.close())

  const events = makeEvents(store)
  const routing = makeRouting(trunks, rules)
  const metrics = makeMetrics({
    running: () => deliveries.running,
    mediaSessions: () => media.sessions,
    loopDelayMs: () => media.loopDelayMs,
    sip: () => ({ ...sip.stats }),
  })
  const sms: SmsGateway | undefined = sandbox && { name: 'sandbox', send: async (message) => sandbox.receiveSms(message) }
  const voiceDeps = { sip, media, mediaHost: settings.sip.host, advertisedHost: settings.sip.advertisedHost, clock, random, log }
  const deliveryDeps: DeliveryDeps = {
    clock,
    random,
    log,
    store,
    events,
    routing,
    trunkLoad: makeTrunkLoad(clock),
    speech: {
      prepare(request) {
        voices.remember(request)
        return speech.prepare(request)
      },
    },
    placeCall: (order, hooks) => placeCall(voiceDeps, order, hooks),
    sms,
    smsPriceMicros: settings.smsPriceMicros,
    codeOf: (pin) => codeOf(keys, pin),
    textOf: ({ template, pin, delivery }) => fillText(template, { ...pin.placeholders, ...delivery.placeholders }),
    speechFault: (to) => sandbox?.speechFault(to) ?? false,
    proof: settings.calls.proof,
    longestCallMs: settings.calls.longestMs,
    fromHost: settings.sip.advertisedHost,
    nodeId: random.hex(8),
    leaseMs: LEASE_MS,
    most: { voice: settings.calls.concurrency, sms: SMS_AT_ONCE },
    observe: metrics.observe,
  }
  const recovered = await store.recover({ nodeId: deliveryDeps.nodeId, all: true, now: clock.now() })
  if (recovered.abandoned.length + recovered.requeued > 0) {
    log.warn({ abandoned: recovered.abandoned.length, requeued: recovered.requeued }, 'deliveries of an earlier run were found and dealt with')
  }
  const deliveries = runDeliveries(deliveryDeps)
  let accepting = true
  const verification = makeVerification({
    clock,
    random,
    store,
    keys,
    routing,
    resendLimits: {
      coolDownMs: settings.limits.resendCoolDownMs,
      perPin: settings.limits.resendsPerPin,
      perApplication: settings.limits.resendsPerApplication,
    },
    longestCallMs: settings.calls.longestMs,
    smsPriceMicros: settings.smsPriceMicros,
    smsAvailable: sms !== undefined,
    accepting: () => accepting,
    wake: (channel) => deliveries.wake(channel),
  })
  const api = await buildApi({
    clock,
    random,
    log,
    store,
    verification,
    events,
    callWaitMs: settings.callWaitMs,
    readiness: () => (accepting ? { ready: true } : { ready: false, reason: 'shutting down' }),
    registry: metrics.registry,
  })
  started.defer(() => api.close())
  if (sandbox) await api.register(sandboxRoutes(sandbox))
  const url = await listen(api, settings)
  deliveries.wake('voice')
  deliveries.wake('sms')
  void speech.warm({ language: 'en' }).catch((error) => log.error({ err: error }, 'speech could not be made: calls will fail until it can'))
  const sweep = setInterval(() => {
    store.sweep(clock.now()).catch((error) => log.error({ err: error }, 'old records could not be swept'))
  }, SWEEP_MS)

  const open = started.move()
  return {
    url,
    log,
    async close() {
      accepting = false
      clearInterval(sweep)
      await deliveries.drain(settings.calls.drainMs)
      await open.disposeAsync()
    },
  }
}
