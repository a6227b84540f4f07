import type { Micros } from '../money.ts'

/** What is kept. All times are milliseconds since 1970. No record ever holds a code. */

// ── who ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

export type Account = { accountId: string; name: string; createdAt: number }

export type ApiKey = {
  keyId: string
  accountId: string
  name: string
  /** SHA-256 of the secret, hex. The secret itself is shown once and not kept. */
  secretHash: string
  enabled: boolean
  scopes: string[]
  permissions: string[]
  allowedIps: string[]
  validFrom?: number
  validTo?: number
  createdAt: number
}

export type Login = { accountId: string; user: string; passwordHash: string }

/** A token of `/auth/1/session` (slides while used) or `/auth/1/oauth2/token` (ends when it was said to). */
export type Session = {
  tokenHash: string
  accountId: string
  kind: 'session' | 'oauth'
  expiresAt: number
  /** Set for sliding sessions: each use sets expiresAt to then + this. */
  slidesMs?: number
}

// ── what they set up ────────────────────────────────────────────────────────────────────────────────────────────────

/** So many in so long. `text` is the client's own spelling (`3/1d`), echoed as it came. */
export type Limit = { count: number; windowMs: number; text?: string }

export type ApplicationSettings = {
  pinAttempts: number
  allowMultiplePinVerifications: boolean
  pinTimeToLive: { ms: number; text?: string }
  verifyPinLimit: Limit
  sendPinPerApplicationLimit: Limit
  sendPinPerPhoneNumberLimit: Limit
}

export type Application = {
  applicationId: string
  accountId: string
  processId: string
  name: string
  enabled: boolean
  settings: ApplicationSettings
  createdAt: number
}

export const PIN_TYPES = ['NUMERIC', 'ALPHA', 'HEX', 'ALPHANUMERIC'] as const
export type PinType = (typeof PIN_TYPES)[number]

export type Template = {
  templateId: string
  applicationId: string
  accountId: string
  pinType: PinType
  pinLength: number
  text: string
  /** What stands for the code in `text`: `{{pin}}`, or v1's own (`<pin>`). */
  placeholder: string
  /** v1 `sender`, later `senderId`: one value. */
  sender?: string
  language?: string
  voiceName?: string
  repeatDTMF?: string
  speechRate?: number
  /** `regional` of the contract as it came (India DLT). */
  regional?: Record<string, unknown>
  createdAt: number
}

// ── what happens ────────────────────────────────────────────────────────────────────────────────────────────────────

export const CHANNELS = ['voice', 'sms'] as const
export type Channel = (typeof CHANNELS)[number]

/** One verification in progress. Not its code, which is derived from the id and the key named here. */
export type Pin = {
  pinId: string
  accountId: string
  applicationId: string
  templateId: string
  /** Which master key its code is derived from. */
  codeKeyId: string
  to: string
  pinType: PinType
  pinLength: number
  createdAt: number
  expiresAt: number
  maxChecks: number
  checks: number
  allowMultiple: boolean
  verifiedAt?: number
  resends: number
  lastResendAt?: number
  /** What the first send filled the template's placeholders with: a resend without its own uses them again. Kept with the PIN. */
  placeholders?: Record<string, string>
}

/** How an attempt, or a delivery without one, ended. Closed list; SIP status and Q.850 stand beside it in the evidence. */
export const DISPOSITIONS = [
  'heard', // a human answered and the code was read to the end
  'machine', // a machine answered, or nobody proved to be human: the code was not spoken
  'busy',
  'declined',
  'no_answer',
  'number_unknown', // the network or the number does not exist
  'no_route', // nothing leads there
  'trunk_failed', // the trunk refused, failed or did not answer
  'no_common_codec',
  'expired', // the PIN ended before the call could be placed
  'speech_failed',
  'fault', // ours
  'lost', // answered, but hung up or gone before the code was read
  'no_media', // answered, and no sound ever came
  'abandoned', // the server died while it was in progress
  'sms_sent',
  'sms_failed',
] as const
export type Disposition = (typeof DISPOSITIONS)[number]

export type DeliveryState = 'owed' | 'claimed' | 'closed'

/** Our duty to bring one code to one person, once, over one channel. */
export type Delivery = {
  deliveryId: string
  pinId: string
  accountId: string
  channel: Channel
  state: DeliveryState
  disposition?: Disposition
  /** Everything that explains the disposition; never a code. */
  evidence?: Record<string, unknown>
  to: string
  createdAt: number
  closedAt?: number
  reservedMicros: Micros
  chargedMicros?: Micros
}

export type Attempt = {
  attemptId: string
  deliveryId: string
  trunk: string
  startedAt: number
  endedAt?: number
  disposition?: Disposition
  evidence?: Record<string, unknown>
  chargedMicros?: Micros
}

export type StoredEvent = {
  /** 1, 2, 3 … within the account, in the order of commits, without gaps: a reader's cursor. */
  seq: number
  accountId: string
  kind: 'delivery.outcome' | 'delivery.closed' | 'delivery.corrected' | 'pin.verified'
  at: number
  pinId: string
  deliveryId?: string
  data: Record<string, unknown>
}
