import type { Numbers } from './numbers.ts'
import type {
  Application,
  Attempt,
  Channel,
  Counted,
  Delivery,
  Disposition,
  Pin,
  PinType,
  StoredEvent,
  Template,
} from './types.ts'

/**
 * Rows as SQL names them and values as the rest of the program does. The column lists give every column a name of its
 * own, so that they can stand beside each other in one SELECT. Both engines have the same columns; flags are 0 and 1, JSON is
 * text.
 */

export const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value))

/** An optional field: `{ name: value }`, or nothing where the column is NULL. */
const maybe = <Name extends string, T>(name: Name, value: T | null): { [N in Name]?: T } =>
  value === null ? {} : ({ [name]: value } as { [N in Name]?: T })

/** What a counter is kept under: a number stands in it as its keyed hash. */
export const counterKey = ({ key, number }: Counted, numbers: Numbers): string =>
  number === undefined ? key : `${key}:${numbers.hash(number)}`

const parsed = (name: string, text: string | null) => (text === null ? {} : { [name]: JSON.parse(text) })

export const APPLICATION = `a.application_id, a.account_id, a.process_id, a.name, a.enabled, a.settings,
  a.created_at AS application_created_at`
export type ApplicationRow = {
  application_id: string
  account_id: string
  process_id: string
  name: string
  enabled: number
  settings: string
  application_created_at: number
}

export const applicationOf = (row: ApplicationRow): Application => ({
  applicationId: row.application_id,
  accountId: row.account_id,
  processId: row.process_id,
  name: row.name,
  enabled: row.enabled === 1,
  settings: JSON.parse(row.settings),
  createdAt: row.application_created_at,
})

export const TEMPLATE = 't.template_id, t.application_id, t.account_id, t.body, t.created_at AS template_created_at'
export type TemplateRow = {
  template_id: string
  application_id: string
  account_id: string
  body: string
  template_created_at: number
}

export const templateOf = (row: TemplateRow): Template => ({
  templateId: row.template_id,
  applicationId: row.application_id,
  accountId: row.account_id,
  ...JSON.parse(row.body),
  createdAt: row.template_created_at,
})

/** What of a template stands in its `body` column. */
export function bodyOf(template: Template): string {
  const { templateId, applicationId, accountId, createdAt, ...body } = template
  return JSON.stringify(body)
}

export const PIN = `p.pin_id, p.account_id, p.application_id, p.template_id, p.code_key_id, p.to_sealed, p.pin_type,
  p.pin_length, p.created_at AS pin_created_at, p.expires_at, p.max_checks, p.checks, p.allow_multiple, p.verified_at,
  p.resends, p.last_resend_at, p.placeholders AS pin_placeholders`
export type PinRow = {
  pin_id: string
  account_id: string
  application_id: string
  template_id: string
  code_key_id: string
  to_sealed: string
  pin_type: PinType
  pin_length: number
  pin_created_at: number
  expires_at: number
  max_checks: number
  checks: number
  allow_multiple: number
  verified_at: number | null
  resends: number
  last_resend_at: number | null
  pin_placeholders: string | null
}

export const pinOf = (row: PinRow, numbers: Numbers): Pin => ({
  pinId: row.pin_id,
  accountId: row.account_id,
  applicationId: row.application_id,
  templateId: row.template_id,
  codeKeyId: row.code_key_id,
  to: numbers.open(row.to_sealed, row.pin_id),
  pinType: row.pin_type,
  pinLength: row.pin_length,
  createdAt: row.pin_created_at,
  expiresAt: row.expires_at,
  maxChecks: row.max_checks,
  checks: row.checks,
  allowMultiple: row.allow_multiple === 1,
  ...maybe('verifiedAt', row.verified_at),
  resends: row.resends,
  ...maybe('lastResendAt', row.last_resend_at),
  ...parsed('placeholders', row.pin_placeholders),
})

/** Beside `pins p`, which has the number. */
export const DELIVERY = `d.delivery_id, d.pin_id, d.account_id, d.channel, d.state, d.disposition, d.evidence, p.to_sealed,
  d.created_at AS delivery_created_at, d.closed_at, d.reserved_micros, d.charged_micros`
export type DeliveryRow = {
  delivery_id: string
  pin_id: string
  account_id: string
  channel: Channel
  state: Delivery['state']
  disposition: Disposition | null
  evidence: string | null
  to_sealed: string
  delivery_created_at: number
  closed_at: number | null
  reserved_micros: number
  charged_micros: number
}

export const deliveryOf = (row: DeliveryRow, numbers: Numbers): Delivery => ({
  deliveryId: row.delivery_id,
  pinId: row.pin_id,
  accountId: row.account_id,
  channel: row.channel,
  state: row.state,
  ...maybe('disposition', row.disposition),
  ...parsed('evidence', row.evidence),
  to: numbers.open(row.to_sealed, row.pin_id),
  createdAt: row.delivery_created_at,
  ...maybe('closedAt', row.closed_at),
  reservedMicros: row.reserved_micros,
  ...maybe('chargedMicros', row.closed_at === null && row.charged_micros === 0 ? null : row.charged_micros),
})

export type AttemptRow = {
  attempt_id: string
  delivery_id: string
  trunk: string
  started_at: number
  ended_at: number | null
  disposition: Disposition | null
  evidence: string | null
  charged_micros: number | null
}

export const attemptOf = (row: AttemptRow): Attempt => ({
  attemptId: row.attempt_id,
  deliveryId: row.delivery_id,
  trunk: row.trunk,
  startedAt: row.started_at,
  ...maybe('endedAt', row.ended_at),
  ...maybe('disposition', row.disposition),
  ...parsed('evidence', row.evidence),
  ...maybe('chargedMicros', row.charged_micros),
})

export type EventRow = {
  seq: number
  account_id: string
  kind: StoredEvent['kind']
  at: number
  pin_id: string
  delivery_id: string | null
  data: string
}

export const eventOf = (row: EventRow): StoredEvent => ({
  seq: row.seq,
  accountId: row.account_id,
  kind: row.kind,
  at: row.at,
  pinId: row.pin_id,
  ...maybe('deliveryId', row.delivery_id),
  data: JSON.parse(row.data),
})
