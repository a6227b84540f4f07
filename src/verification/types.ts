import type { ParsedNumber } from '../msisdn.ts'
import type { Application, ApplicationSettings, Channel, Delivery, Template, VerificationRow } from '../store/types.ts'

/** What the wire may ask for. Everything that arrives here has been validated; names are ours, not the wire's. */

export type NewApplication = { name: string; enabled?: boolean; settings?: Partial<ApplicationSettings> }

export type NewTemplate = Omit<Template, 'templateId' | 'applicationId' | 'accountId' | 'createdAt'>

export type SendPin = {
  accountId: string
  applicationId: string
  templateId: string
  to: ParsedNumber
  channel: Channel
  from?: string
  placeholders?: Record<string, string>
  idempotencyKey?: string
}

export type ResendPin = {
  accountId: string
  pinId: string
  channel: Channel
  placeholders?: Record<string, string>
  idempotencyKey?: string
}

/**
 * What became of a send or resend at the moment it was decided. Refusals of the request itself (unknown ids, limits,
 * disabled application on a send) are thrown as `PincallError`; these are answers about the delivery.
 */
export type Sending =
  /** We owe it: the outcome comes by `outcomeOf(deliveryId)`. */
  | { kind: 'owed'; pinId: string; to: string; deliveryId: string; joined: boolean }
  /** It was decided not to: nothing was dialled or sent. */
  | { kind: 'refused'; pinId: string; to: string; why: Refusal; detail: string }

export const REFUSALS = [
  'closed',
  'application_disabled',
  'destination',
  'no_credit',
  'no_network',
  'no_route',
] as const
export type Refusal = (typeof REFUSALS)[number]

export type Check = { accountId: string; pinId: string; guess: string }

export type CheckAnswer = {
  pinId: string
  to: string
  verified: boolean
  checksLeft: number
  error?: 'WRONG_PIN' | 'TTL_EXPIRED' | 'NO_MORE_PIN_ATTEMPTS'
}

export type Verification = {
  createApplication(accountId: string, application: NewApplication): Promise<Application>
  /** Merges: what is not given stays. */
  updateApplication(accountId: string, applicationId: string, change: Partial<NewApplication>): Promise<Application>
  application(accountId: string, applicationId: string): Promise<Application>
  applications(accountId: string): Promise<Application[]>
  createTemplate(accountId: string, applicationId: string, template: NewTemplate): Promise<Template>
  updateTemplate(
    accountId: string,
    applicationId: string,
    templateId: string,
    change: Partial<NewTemplate>,
  ): Promise<Template>
  template(accountId: string, applicationId: string, templateId: string): Promise<Template>
  templates(accountId: string, applicationId: string): Promise<Template[]>

  sendPin(send: SendPin): Promise<Sending>
  resendPin(resend: ResendPin): Promise<Sending>
  checkPin(check: Check): Promise<CheckAnswer>
  verifications(query: {
    accountId: string
    applicationId: string
    to?: string
    verified?: boolean
    sent?: boolean
  }): Promise<VerificationRow[]>
  /** The deliveries of a PIN, oldest first; throws not_found where the account has no such PIN. */
  deliveries(accountId: string, pinId: string): Promise<Delivery[]>
  /** Waits until the delivery is closed, at most `waitMs`; resolves with its state then. */
  outcomeOf(accountId: string, deliveryId: string, waitMs: number): Promise<Delivery>
}
