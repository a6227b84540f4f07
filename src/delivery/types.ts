import type { Clock } from '../clock.ts'
import type { Events } from '../events/index.ts'
import type { Log } from '../log.ts'
import type { Micros } from '../money.ts'
import type { Random } from '../random.ts'
import type { Routing } from '../routing/index.ts'
import type { Speech } from '../speech/index.ts'
import type { Disposition, Job, Store } from '../store/types.ts'
import type { CallHooks, CallOrder, CallResult } from '../voice/index.ts'

/** Hands a text to somebody who delivers it. Rejects where it was not taken. */
export type SmsGateway = {
  readonly name: string
  send(message: { to: string; from: string; text: string }): Promise<void>
}

export type DeliveryDeps = {
  /** The store's own, so that leases, limits and life times have one clock on all nodes. */
  clock: Clock
  random: Random
  log: Log
  store: Store
  events: Events
  routing: Routing
  speech: Pick<Speech, 'prepare'>
  placeCall(order: CallOrder, hooks: CallHooks): Promise<CallResult>
  sms: SmsGateway | undefined
  smsPriceMicros: Micros
  /** The code of a PIN, made when it is needed and let go after. */
  codeOf(pin: Job['pin']): string
  /** The template's text with everything filled in but the code, whose place is `{{pin}}`. */
  textOf(job: Job): string
  /** Sandbox only: numbers for which the speech process is told to fail. */
  speechFault(to: string): boolean
  proof: CallOrder['proof']
  longestCallMs: number
  /** Host part of the From header's URI. */
  fromHost: string
  nodeId: string
  leaseMs: number
  /** Deliveries of a channel that may run at once. */
  most: { voice: number; sms: number }
  observe(observation: Observation): void
}

/** What ends a delivery before its time. */
export type Until = {
  /** The server wants to stop: hang up. */
  stop: AbortSignal
  /** It does stop: what can not be written now is left for recovery. */
  giveUp: AbortSignal
}

/** What metrics are made of. */
export type Observation =
  | { kind: 'closed'; channel: Job['delivery']['channel']; disposition: Disposition; trunk?: string }
  | { kind: 'verdict'; verdict: string; language: string }
  | { kind: 'dialled'; afterMs: number }
  | { kind: 'prompts'; ms: number }
  /** Another node took over what this one was carrying out. */
  | { kind: 'lease_lost' }

/** How a delivery ended, before it is written. */
export type Ending = {
  disposition: Disposition
  evidence: Record<string, unknown>
  chargeMicros: Micros
  attemptId?: string
  trunk?: string
}
