import { chargeFor } from '../../credit/index.ts'
import type { Route } from '../../routing/index.ts'
import { type Prompts, SpeechFailed } from '../../speech/index.ts'
import type { Disposition, Job } from '../../store/types.ts'
import type { CallEvidence, CallOrder } from '../../voice/index.ts'
import { beginAttempt } from '../begin-attempt.ts'
import { close, tell } from '../close-attempt.ts'
import { languageOf } from '../language-of.ts'
import { GIVE_BACK, LOST_LEASE, type NotOurs } from '../lease.ts'
import { outcomeOf } from '../outcome.ts'
import { persist } from '../persist.ts'
import type { DeliveryDeps, Ending, Until } from '../types.ts'

/** What was told to a client is durable soon, or not before the call's end. */
const RECORD_MS = 10_000

/**
 * Delivers a code by a call: prompts first, so that nothing is missing once somebody answers; then route after route,
 * as long as it is proven that no phone rang.
 */
export async function deliverByVoice(deps: DeliveryDeps, job: Job, until: Until): Promise<Ending | NotOurs> {
  const routes = deps.routing.routesFor(job.pin.to)
  if (routes.length === 0) return ending('no_route', { detail: 'no route covers the number' })
  const proofKey = String(deps.random.int(10))
  let prompts: Prompts
  try {
    prompts = await renderPrompts(deps, job, proofKey)
  } catch (error) {
    if (error instanceof SpeechFailed) return ending('speech_failed', { detail: error.message })
    throw error
  }
  const tried: Record<string, unknown>[] = []
  let last = ending('trunk_failed', { detail: 'every trunk of the route is full' })
  for (const route of routes) {
    if (until.stop.aborted) return ending('abandoned', { detail: 'the server is shutting down' })
    const result = await attempt(deps, job, route, prompts, proofKey, until)
    if (result === LOST_LEASE) return LOST_LEASE
    if (result === 'full') {
      tried.push({ trunk: route.trunk.name, full: true })
      continue
    }
    if (result === 'away') {
      if (!last.attemptId) return GIVE_BACK
      break // what was tried before is all that can be told of it
    }
    last = { ...result.ending, evidence: { ...result.ending.evidence, ...(tried.length && { tried: [...tried] }) } }
    if (!result.tryNext || route === routes.at(-1)) return last
    tried.push({ trunk: route.trunk.name, sipStatus: result.ending.evidence.sipStatus })
    await close(deps, job, result.ending, false, until.giveUp)
  }
  // Every trunk left was full: an attempt before them is closed already, so the delivery ends without one.
  return ending(last.disposition, { ...(last.attemptId ? {} : last.evidence), tried })
}

async function renderPrompts(deps: DeliveryDeps, job: Job, proofKey: string): Promise<Prompts> {
  const { template, pin } = job
  const begun = deps.clock.monotonic()
  const placeholders = { ...pin.placeholders, ...job.delivery.placeholders }
  const prompts = await deps.speech.prepare({
    language: languageOf(template, pin.to),
    ...(template.voiceName && { voiceName: template.voiceName }),
    ...(template.speechRate && { speechRate: template.speechRate }),
    text: deps.textOf(job),
    code: deps.codeOf(pin),
    proofKey,
    ...(template.repeatDTMF && { replayKeys: template.repeatDTMF }),
    filled: Object.values(placeholders),
    ...(deps.speechFault(pin.to) && { fault: true }),
  })
  deps.observe({ kind: 'prompts', ms: deps.clock.monotonic() - begun })
  return prompts
}

async function attempt(
  deps: DeliveryDeps,
  job: Job,
  route: Route,
  prompts: Prompts,
  proofKey: string,
  until: Until,
): Promise<{ ending: Ending; tryNext: boolean } | 'full' | 'away' | typeof LOST_LEASE> {
  const { trunk } = route
  const attemptId = `${job.delivery.deliveryId}-${deps.random.hex(4).toUpperCase()}`
  const { callsPerSecond, concurrency } = trunk
  const begun = await beginAttempt(deps, job, {
    attemptId,
    trunk: trunk.name,
    limits: { callsPerSecond, concurrency },
  })
  if (begun.kind !== 'begun') return begun.kind === 'lost' ? LOST_LEASE : begun.kind
  const { atRateLimit } = begun
  const begunAt = deps.clock.monotonic()
  const over = new AbortController()
  const result = await deps
    .placeCall(orderOf(deps, job, route, prompts, proofKey), {
      onStep: (step) => tell(deps, job, step),
      onHeard: (evidence) => void recordHeard(deps, job, evidence, over.signal),
      signal: until.stop,
    })
    .finally(() => over.abort())
  const { evidence } = result
  const { disposition, tryNext } = outcomeOf(result, { atRateLimit, elapsedMs: deps.clock.monotonic() - begunAt })
  if (evidence.verdict) {
    deps.observe({ kind: 'verdict', verdict: evidence.verdict, language: languageOf(job.template, job.pin.to) })
  }
  return {
    tryNext,
    ending: {
      disposition,
      evidence: { ...evidence, trunk: trunk.name, caller: route.caller },
      chargeMicros: chargeFor(route, evidence.talkMs),
      attemptId,
      trunk: trunk.name,
    },
  }
}

function orderOf(deps: DeliveryDeps, job: Job, route: Route, prompts: Prompts, proofKey: string): CallOrder {
  const { trunk } = route
  const number = trunk.numberFormat === 'plus' ? `+${job.pin.to}` : job.pin.to
  const host = trunk.host.includes(':') ? `[${trunk.host}]` : trunk.host
  const caller =
    job.delivery.from && /^\+?\d{7,15}$/.test(job.delivery.from) ? job.delivery.from.replace('+', '') : route.caller
  return {
    uri: `sip:${number}@${host}:${trunk.port}`,
    target: { host: trunk.host, port: trunk.port },
    from: { uri: `sip:${caller}@${deps.fromHost}` },
    ...(trunk.user && trunk.password && { credentials: { user: trunk.user, password: trunk.password } }),
    codecs: trunk.codecs,
    ringTimeoutMs: trunk.ringTimeoutMs,
    noResponseMs: trunk.noResponseMs,
    prompts,
    proof: deps.proof,
    proofKey,
    replayKeys: job.template.repeatDTMF ?? '',
    longestMs: deps.longestCallMs,
  }
}

/**
 * Whoever waits for the outcome gets it now, while the repetition is read; told truths are durable first. Once the call is
 * over its end says the same, so this need not be tried any more.
 */
async function recordHeard(deps: DeliveryDeps, job: Job, evidence: CallEvidence, over: AbortSignal): Promise<void> {
  const { deliveryId } = job.delivery
  const late = new AbortController()
  const timer = deps.clock.after(RECORD_MS, () => late.abort())
  const outcome = {
    deliveryId,
    nodeId: deps.nodeId,
    disposition: 'heard',
    evidence: { ...evidence },
    event: { disposition: 'heard', channel: 'voice' },
    now: deps.clock.now(),
  } as const
  try {
    await persist(deps, { deliveryId, what: 'an outcome' }, AbortSignal.any([over, late.signal]), () =>
      deps.store.recordOutcome(outcome),
    )
  } catch (error) {
    deps.log.warn({ err: error, deliveryId }, 'outcome could not be recorded before the call ended')
  } finally {
    timer.cancel()
  }
}

const ending = (disposition: Disposition, evidence: Record<string, unknown>): Ending => ({
  disposition,
  evidence,
  chargeMicros: 0,
})
