import {
  countedByCheck,
  countedByResend,
  countedBySend,
  destinationRefusal,
  type ResendLimits,
} from '../admission/index.ts'
import type { Clock } from '../clock.ts'
import { ceilingOf } from '../credit/index.ts'
import { notFound, PincallError } from '../errors.ts'
import { type ParsedNumber, parseMsisdn } from '../msisdn.ts'
import type { Random } from '../random.ts'
import { networkOf, type Routing } from '../routing/index.ts'
import type { Admission, Channel, NewDelivery, ResendAdmission, Store } from '../store/types.ts'
import { type CodeKeys, guessMatches } from './code.ts'
import { fingerprint } from './fingerprint.ts'
import { timedId } from './ids.ts'
import { fillText } from './text.ts'
import type { Check, CheckAnswer, Refusal, ResendPin, Sending, SendPin } from './types.ts'

export type PinDeps = {
  clock: Clock
  random: Random
  store: Store
  keys: CodeKeys
  routing: Routing
  resendLimits: ResendLimits
  longestCallMs: number
  smsPriceMicros: number
  /** Whether an SMS gateway is there to hand messages to. */
  smsAvailable: boolean
  /** False while draining: nothing new is owed then. */
  accepting(): boolean
  /** Tells the delivery room that work is owed. */
  wake(channel: Channel): void
}

/** Makes a PIN and owes its delivery. Resolves when that is durable, not when the person has the code. */
export async function sendPin(deps: PinDeps, send: SendPin): Promise<Sending> {
  assertAccepting(deps)
  const now = deps.clock.now()
  const { application, template } = await deps.store.loadForSend(send.accountId, send.applicationId, send.templateId)
  if (!application) throw notFound('The application')
  if (!template) throw notFound('The message template')
  if (!application.enabled) {
    throw new PincallError('application_disabled', 'The application is disabled: enable it to send PINs.')
  }
  fillText(template, send.placeholders) // a missing placeholder is refused before anything is owed
  const to = send.to.msisdn
  const pinId = timedId(deps.random, now)
  const refusal = refuse(deps, send.to, send.channel)
  if (refusal) return { kind: 'refused', pinId, to, ...refusal }
  const admission = await deps.store.admitSend({
    pin: {
      pinId,
      accountId: send.accountId,
      applicationId: application.applicationId,
      templateId: template.templateId,
      codeKeyId: deps.keys.current,
      to,
      pinType: template.pinType,
      pinLength: template.pinLength,
      createdAt: now,
      expiresAt: now + application.settings.pinTimeToLive.ms,
      maxChecks: application.settings.pinAttempts,
      allowMultiple: application.settings.allowMultiplePinVerifications,
      ...(send.placeholders && { placeholders: send.placeholders }),
    },
    delivery: { ...newDelivery(deps, send.channel, to), ...(send.from && { from: send.from }) },
    counted: countedBySend(application, to),
    ...(send.idempotencyKey && { idempotency: { key: send.idempotencyKey, fingerprint: fingerprint('send', send) } }),
    now,
  })
  return sendingOf(deps, admission, pinId, to, send.channel)
}

/** Sends a PIN's code once more over the asked channel: the same code, to the same number. */
export async function resendPin(deps: PinDeps, resend: ResendPin): Promise<Sending> {
  assertAccepting(deps)
  const now = deps.clock.now()
  const loaded = await deps.store.loadPin(resend.accountId, resend.pinId)
  if (!loaded) throw notFound('The PIN')
  const { pin, application, template } = loaded
  const placeholders = { ...pin.placeholders, ...resend.placeholders }
  fillText(template, placeholders)
  const refused = (why: Refusal, detail: string): Sending => ({
    kind: 'refused',
    pinId: pin.pinId,
    to: pin.to,
    why,
    detail,
  })
  if (!application.enabled) return refused('application_disabled', 'the application is disabled')
  const refusal = refuse(deps, parseMsisdn(pin.to)!, resend.channel)
  if (refusal) return refused(refusal.why, refusal.detail)
  const admission = await deps.store.admitResend({
    accountId: resend.accountId,
    pinId: pin.pinId,
    delivery: {
      ...newDelivery(deps, resend.channel, pin.to),
      ...(resend.placeholders && { placeholders: resend.placeholders }),
    },
    coolDownMs: deps.resendLimits.coolDownMs,
    maxResends: deps.resendLimits.perPin,
    counted: countedByResend(deps.resendLimits, application.applicationId),
    ...(resend.idempotencyKey && {
      idempotency: { key: resend.idempotencyKey, fingerprint: fingerprint('resend', resend) },
    }),
    now,
  })
  return sendingOf(deps, admission, pin.pinId, pin.to, resend.channel)
}

/** Checks what a person typed. The statement that counts the check also decides who was first. */
export async function checkPin(deps: PinDeps, check: Check): Promise<CheckAnswer> {
  const loaded = await deps.store.loadPin(check.accountId, check.pinId)
  if (!loaded) throw notFound('The PIN')
  const { pin, application } = loaded
  const result = await deps.store.countCheck({
    accountId: check.accountId,
    pinId: pin.pinId,
    matches: guessMatches(deps.keys, pin, check.guess),
    counted: countedByCheck(application, pin.to),
    now: deps.clock.now(),
  })
  const answer = { pinId: pin.pinId, to: pin.to, verified: false, checksLeft: 0 }
  switch (result.kind) {
    case 'not_found':
      throw notFound('The PIN')
    case 'limited':
      throw limited(result.name, result.retryAfterMs)
    case 'right':
      return { ...answer, verified: true }
    case 'wrong':
      return { ...answer, checksLeft: result.checksLeft, error: 'WRONG_PIN' }
    case 'expired':
      return { ...answer, checksLeft: result.checksLeft, error: 'TTL_EXPIRED' }
    case 'exhausted':
    case 'used':
      return { ...answer, error: 'NO_MORE_PIN_ATTEMPTS' }
  }
}

function assertAccepting(deps: PinDeps): void {
  if (!deps.accepting()) {
    throw new PincallError('unavailable', 'The server is shutting down: try again in a moment.', { retryAfterMs: 5000 })
  }
}

/** What can be known before anything is written: nothing here waits on the outside. */
function refuse(deps: PinDeps, number: ParsedNumber, channel: Channel): { why: Refusal; detail: string } | undefined {
  const destination = destinationRefusal(number)
  if (destination) return { why: 'destination', detail: destination }
  if (!networkOf(number)) return { why: 'no_network', detail: 'no network is known for the number' }
  if (channel === 'voice' && deps.routing.routesFor(number.msisdn).length === 0) {
    return { why: 'no_route', detail: 'no route for voice calls covers the number' }
  }
  if (channel === 'sms' && !deps.smsAvailable) return { why: 'no_route', detail: 'no SMS gateway is configured' }
  return undefined
}

function newDelivery(deps: PinDeps, channel: Channel, to: string): NewDelivery {
  const reserveMicros =
    channel === 'voice' ? ceilingOf(deps.routing.routesFor(to), deps.longestCallMs) : deps.smsPriceMicros
  return { deliveryId: timedId(deps.random, deps.clock.now()), channel, reserveMicros }
}

function sendingOf(
  deps: PinDeps,
  admission: ResendAdmission | Admission,
  pinId: string,
  to: string,
  channel: Channel,
): Sending {
  switch (admission.kind) {
    case 'owed':
      deps.wake(channel)
      return { kind: 'owed', pinId: admission.pinId, to, deliveryId: admission.deliveryId, joined: false }
    case 'repeated':
    case 'joined':
      return { kind: 'owed', pinId: admission.pinId, to, deliveryId: admission.deliveryId, joined: true }
    case 'no_credit':
      return { kind: 'refused', pinId, to, why: 'no_credit', detail: 'the balance can not pay for it' }
    case 'closed':
      return { kind: 'refused', pinId, to, why: 'closed', detail: CLOSED[admission.why] }
    case 'limited':
      throw limited(admission.name, admission.retryAfterMs)
    case 'mismatch':
      throw new PincallError(
        'idempotency_mismatch',
        'This Idempotency-Key was used before with another request: take a new one.',
      )
    case 'not_found':
      throw notFound('The PIN')
  }
}

const CLOSED: Record<Extract<ResendAdmission, { kind: 'closed' }>['why'], string> = {
  expired: 'the PIN has expired',
  exhausted: 'the PIN has no attempts left',
  verified: 'the PIN was verified already',
}

const limited = (name: string, retryAfterMs: number): PincallError =>
  new PincallError('limited', `The limit ${name} is reached: try again in ${Math.ceil(retryAfterMs / 1000)} s.`, {
    retryAfterMs,
  })
