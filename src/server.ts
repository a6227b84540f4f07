import { buildApi } from './api/index.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Settings } from './config.ts'
import { wrong } from './config-file.ts'
import { ensureDefaultAccount, rememberMasterKeys } from './default-account.ts'
import { type Deliveries, type DeliveryDeps, runDeliveries, type SmsGateway } from './delivery/index.ts'
import { type Events, makeEvents } from './events/index.ts'
import type { Secrets } from './key-files.ts'
import type { Log } from './log.ts'
import { type MediaEngine, openMediaEngine } from './media/index.ts'
import { makeMetrics } from './metrics.ts'
import { peerings } from './peerings.ts'
import { systemRandom } from './random.ts'
import { keepTidy } from './retention.ts'
import { makeRouting, type Routing } from './routing/index.ts'
import { openSandbox, type Sandbox, sandboxRoutes } from './sandbox/index.ts'
import { openSipEndpoint, type SipEndpoint } from './sip/index.ts'
import { openSpeech, type Speech } from './speech/index.ts'
import { openStore, type Store, sealedNumbers } from './store/index.ts'
import { type CodeKeys, codeKeys, codeOf, fillText, makeVerification } from './verification/index.ts'
import { placeCall } from './voice/index.ts'
import { rememberVoices } from './voices-in-use.ts'
import { watchedStore } from './watched-store.ts'

export type Server = {
  /** Where HTTP answers, e.g. `http://127.0.0.1:8020`. */
  url: string
  log: Log
  /** Takes nothing new, lets calls in progress end, then closes every room. */
  close(): Promise<void>
}

const SMS_AT_ONCE = 200

const random = systemRandom

/** Starts every room and introduces them to each other; the only place that knows them all. */
export async function startServer(settings: Settings, secrets: Secrets, log: Log): Promise<Server> {
  await using starting = new AsyncDisposableStack() // closes what is open where a later room does not start
  const open = <T extends { close(): Promise<unknown> }>(room: T): T => {
    starting.defer(async () => void (await room.close()))
    return room
  }
  const metrics = makeMetrics({
    running: () => deliveries.running,
    mediaSessions: () => media.sessions,
    loopDelayMs: () => media.loopDelayMs,
    sip: () => ({ ...sip.stats }),
  })
  const store = watchedStore(open(await openDatabase(settings, secrets, log)), metrics.storeUnavailable)
  const { clock } = store
  await rememberMasterKeys(store, secrets.masterKeys)
  await ensureDefaultAccount(store, settings, secrets, clock.now())
  const voices = rememberVoices()
  const speech = open(await openSpeech({ log, clock }))
  const media = open(await openMediaEngine({ workers: settings.media.workers, ports: settings.media, log }))
  const sandbox = settings.sandbox.on
    ? open(await openSandbox({ clock, random, log, speech, host: '127.0.0.1', languagesSpoken: voices.spoken }))
    : undefined
  const { trunks, rules } = peerings(settings, sandbox?.trunks ?? [])
  const sip = open(await openSip(settings, clock, log, () => trunks))
  const events = makeEvents(store)
  const routing = makeRouting(trunks, rules)
  const keys = codeKeys(secrets.masterKeys)
  const prepare: Speech['prepare'] = (request) => {
    voices.remember(request)
    return speech.prepare(request)
  }
  const deps = introduceDelivery({
    settings,
    log,
    store,
    events,
    routing,
    sip,
    media,
    sandbox,
    keys,
    prepare,
    observe: metrics.observe,
  })
  // What other nodes hold is theirs while their leases last: then whoever looks around next sees to it.
  if (!settings.database.url) await endEarlierRun(store, deps)
  let accepting = true
  const deliveries = runDeliveries(deps)
  starting.defer(() => deliveries.drain(0))
  const api = open(
    await buildApi({
      clock,
      random,
      log,
      store,
      verification: introduceVerification({
        settings,
        store,
        routing,
        keys,
        sms: deps.sms,
        deliveries,
        accepting: () => accepting,
      }),
      events,
      callWaitMs: settings.callWaitMs,
      readiness() {
        const reason = accepting ? store.trouble() : 'shutting down'
        return reason === undefined ? { ready: true } : { ready: false, reason }
      },
      registry: metrics.registry,
    }),
  )
  if (sandbox) await api.register(sandboxRoutes(sandbox))
  const url = await listen(api, settings)
  deliveries.wake('voice')
  deliveries.wake('sms')
  void speech
    .warm({ language: 'en' })
    .catch((error) => log.error({ err: error }, 'no speech can be made: calls will fail until it can'))
  open(keepTidy({ clock, random, log, store, retention: settings.retention, observe: metrics.removed }))
  const rooms = starting.move()
  return {
    url,
    log,
    async close() {
      accepting = false
      await deliveries.drain(settings.calls.drainMs)
      await rooms.disposeAsync()
    },
  }
}

/** SQLite in the data directory, or the PostgreSQL that several nodes share. */
function openDatabase(settings: Settings, secrets: Secrets, log: Log): Promise<Store> {
  const { url: databaseUrl, poolSize } = settings.database
  return openStore({
    ...(databaseUrl && { databaseUrl }),
    poolSize,
    dataDir: settings.dataDir,
    numbers: sealedNumbers(secrets.masterKeys),
    clock: systemClock,
    log,
  })
}

/** A store of one node: whatever is in progress was left by a run that has ended. */
async function endEarlierRun(store: Store, { nodeId, clock, log }: DeliveryDeps): Promise<void> {
  const { abandoned, requeued } = await store.recover({ nodeId, all: true, now: clock.now() })
  if (abandoned.length + requeued === 0) return
  log.warn({ abandoned: abandoned.length, requeued }, 'an earlier run left deliveries behind')
}

function openSip(
  settings: Settings,
  clock: Clock,
  log: Log,
  allowedPeers: () => Iterable<{ host: string; port: number }>,
): Promise<SipEndpoint> {
  const { host, port, advertisedHost } = settings.sip
  return openSipEndpoint({
    bind: { host, port },
    advertisedHost,
    userAgent: 'Pincall',
    clock,
    random,
    log,
    allowedPeers,
  }).catch((error) => {
    throw wrong(
      `SIP can not listen on UDP ${host}:${port} (${error.code ?? error.message}): set sip.host and sip.port in the configuration file.`,
    )
  })
}

/** What a delivery is carried out with. */
function introduceDelivery(rooms: {
  settings: Settings
  log: Log
  store: Store
  events: Events
  routing: Routing
  sip: SipEndpoint
  media: MediaEngine
  sandbox: Sandbox | undefined
  keys: CodeKeys
  prepare: Speech['prepare']
  observe: DeliveryDeps['observe']
}): DeliveryDeps {
  const { settings, log, store, events, routing, sip, media, sandbox, keys, prepare, observe } = rooms
  const { clock } = store
  const { host, advertisedHost } = settings.sip
  const sms: SmsGateway | undefined = sandbox && {
    name: 'sandbox',
    send: async (message) => sandbox.receiveSms(message),
  }
  return {
    clock,
    random,
    log,
    store,
    events,
    routing,
    speech: { prepare },
    placeCall: (order, hooks) =>
      placeCall({ sip, media, mediaHost: host, advertisedHost, clock, random, log }, order, hooks),
    sms,
    smsPriceMicros: settings.smsPriceMicros,
    codeOf: (pin) => codeOf(keys, pin),
    textOf: ({ template, pin, delivery }) => fillText(template, { ...pin.placeholders, ...delivery.placeholders }),
    speechFault: (to) => sandbox?.speechFault(to) ?? false,
    proof: settings.calls.proof,
    longestCallMs: settings.calls.longestMs,
    fromHost: advertisedHost,
    nodeId: random.hex(8),
    leaseMs: settings.calls.leaseMs,
    most: { voice: settings.calls.concurrency, sms: SMS_AT_ONCE },
    observe,
  }
}

function introduceVerification(rooms: {
  settings: Settings
  store: Store
  routing: Routing
  keys: CodeKeys
  sms: SmsGateway | undefined
  deliveries: Deliveries
  accepting(): boolean
}) {
  const { settings, store, routing, keys, sms, deliveries, accepting } = rooms
  const { resendCoolDownMs, resendsPerPin, resendsPerApplication } = settings.limits
  return makeVerification({
    clock: store.clock,
    random,
    store,
    keys,
    routing,
    resendLimits: { coolDownMs: resendCoolDownMs, perPin: resendsPerPin, perApplication: resendsPerApplication },
    longestCallMs: settings.calls.longestMs,
    smsPriceMicros: settings.smsPriceMicros,
    smsAvailable: sms !== undefined,
    accepting,
    wake: (channel) => deliveries.wake(channel),
  })
}

async function listen(
  api: { listen(where: { host: string; port: number }): Promise<string> },
  settings: Settings,
): Promise<string> {
  const { host, port } = settings.http
  try {
    return await api.listen({ host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw wrong(
        `Port ${port} on ${host} is taken by another program: stop it, or set PINCALL_HTTP_PORT to another port.`,
      )
    throw wrong(`HTTP can not listen on ${host}:${port} (${code}): set PINCALL_HTTP_HOST and PINCALL_HTTP_PORT.`)
  }
}
