import { chargeFor } from '../../credit/index.ts'
import type { Route } from '../../routing/index.ts'
import { type Prompts, SpeechFailed } from '../../speech/index.ts'
import type { Disposition, Job } from '../../store/types.ts'
import type { CallEvidence, CallOrder } from '../../voice/index.ts'
import { close, tell } from '../close-attempt.ts'
import { languageOf } from '../language-of.ts'
import { LOST_LEASE } from '../lease.ts'
import { outcomeOf } from '../outcome.ts'
import type { DeliveryDeps, Ending } from '../types.ts'

/**
 * Delivers a code by a call: prompts first, so that nothing is missing once somebody answers; then route after route,
 * as long as it is proven that no phone rang.
 */
export async function deliverByVoice(
  deps: DeliveryDeps,
  job: Job,
  signal: AbortSignal,
): Promise<Ending | typeof LOST_LEASE> {
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
    if (signal.aborted) return ending('abandoned', { detail: 'the server is shutting down' })
    const place = deps.trunkLoad.take(route.trunk)
    if (!place) {
      tried.push({ trunk: route.trunk.name, full: true })
      continue
    }
    try {
      const result = await attempt(deps, job, route, prompts, proofKey, signal)
      if (result === LOST_LEASE) return LOST_LEASE
      last = { ...result.ending, evidence: { ...result.ending.evidence, ...(tried.length && { tried: [...tried] }) } }
      if (!result.tryNext || route === routes.at(-1)) return last
      tried.push({ trunk: route.trunk.name, sipStatus: result.ending.evidence.sipStatus })
      await close(deps, job, result.ending, false)
    } finally {
      place.release()
    }
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
  signal: AbortSignal,
): Promise<{ ending: Ending; tryNext: boolean } | typeof LOST_LEASE> {
  const { deliveryId } = job.delivery
  const { trunk } = route
  const attemptId = `${deliveryId}-${deps.random.hex(4).toUpperCase()}`
  const ours = await deps.store.beginAttempt({
    attemptId,
    deliveryId,
    nodeId: deps.nodeId,
    trunk: trunk.name,
    now: deps.clock.now(),
  })
  if (!ours) return LOST_LEASE
  const atRateLimit = deps.trunkLoad.atRateLimit(trunk)
  const begun = deps.clock.monotonic()
  deps.observe({ kind: 'dialled', afterMs: deps.clock.now() - job.delivery.createdAt })
  const result = await deps.placeCall(orderOf(deps, job, route, prompts, proofKey), {
    onStep: (step) => tell(deps, job, step),
    onHeard: (evidence) => recordHeard(deps, job, evidence),
    signal,
  })
  const { evidence } = result
  const { disposition, tryNext } = outcomeOf(result, { atRateLimit, elapsedMs: deps.clock.monotonic() - begun })
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

/** Whoever waits for the outcome gets it now, while the repetition is read; told truths are durable first. */
function recordHeard(deps: DeliveryDeps, job: Job, evidence: CallEvidence): void {
  const { deliveryId } = job.delivery
  deps.store
    .recordOutcome({
      deliveryId,
      nodeId: deps.nodeId,
      disposition: 'heard',
      evidence: { ...evidence },
      event: { disposition: 'heard', channel: 'voice' },
      now: deps.clock.now(),
    })
    .catch((error) => deps.log.error({ err: error, deliveryId }, 'outcome could not be recorded before the call ended'))
}

const ending = (disposition: Disposition, evidence: Record<string, unknown>): Ending => ({
  disposition,
  evidence,
  chargeMicros: 0,
})
