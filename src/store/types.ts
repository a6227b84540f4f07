import type { Clock } from '../clock.ts'
import type { Micros } from '../money.ts'
import type {
  Account,
  ApiKey,
  Application,
  Attempt,
  Channel,
  Delivery,
  Disposition,
  Limit,
  Login,
  Pin,
  Session,
  StoredEvent,
  Template,
} from './records.ts'

export * from './records.ts'

/**
 * What is kept, and the operations on it. Operations, not tables: each is one transaction (one queue slot on SQLite, one
 * statement or micro-batch elsewhere), so that a guard can stand in the statement that needs it. All times are
 * milliseconds since 1970 and come from the caller's clock, which is the store's own (`Store.clock`). No operation ever sees
 * a code. An operation that the database can not carry out now rejects with `unavailable`, and says whether it may have been
 * done all the same.
 */

// ── operations ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** A counter to raise, and the limit that it must not pass. Fixed window from its first request. */
export type Counted = Limit & {
  /** `what:whose`, e.g. `send-number:<applicationId>`. Never a person's number: that stands beside it. */
  key: string
  /** The number it counts for, where it counts for one: kept only as a keyed hash. */
  number?: string
  /** Which limit it is, for the refusal: `sendPinPerPhoneNumberLimit`. */
  name: string
}

export type NewDelivery = {
  deliveryId: string
  channel: Channel
  reserveMicros: Micros
  /** Sender asked for in this request. */
  from?: string
  /** Further placeholders of this request. */
  placeholders?: Record<string, string>
}

/** A client's key for one request, remembered per account for 24 hours, and only where the request was not refused. */
export type Idempotency = { key: string; fingerprint: string }

export type Admission =
  | { kind: 'owed'; deliveryId: string; pinId: string }
  /** The same Idempotency-Key came before, with the same request. */
  | { kind: 'repeated'; deliveryId: string; pinId: string }
  /** The same Idempotency-Key came before, with another request. */
  | { kind: 'mismatch' }
  | { kind: 'limited'; name: string; retryAfterMs: number }
  | { kind: 'no_credit' }

export type ResendAdmission =
  | Admission
  /** A delivery of this PIN over this channel is in progress: wait for that one. */
  | { kind: 'joined'; deliveryId: string; pinId: string }
  | { kind: 'closed'; why: 'expired' | 'exhausted' | 'verified' }
  | { kind: 'not_found' }

export type AdmitSend = {
  pin: Omit<Pin, 'checks' | 'resends' | 'verifiedAt' | 'lastResendAt'>
  delivery: NewDelivery
  counted: Counted[]
  idempotency?: Idempotency
  now: number
}

export type AdmitResend = {
  accountId: string
  pinId: string
  delivery: NewDelivery
  coolDownMs: number
  maxResends: number
  counted: Counted[]
  idempotency?: Idempotency
  now: number
}

export type CountCheck = {
  accountId: string
  pinId: string
  /** Whether the guess equals the code: compared in constant time before, told to nobody but this statement. */
  matches: boolean
  counted: Counted[]
  now: number
}

export type CheckResult =
  | { kind: 'not_found' }
  | { kind: 'limited'; name: string; retryAfterMs: number }
  /** The time is over. Nothing was counted. */
  | { kind: 'expired'; checksLeft: number; to: string }
  /** No checks were left before this one. */
  | { kind: 'exhausted'; to: string }
  | { kind: 'wrong'; checksLeft: number; to: string }
  /** Right. `first` for the one that verified it; later ones only where many verifications are allowed, and not counted. */
  | { kind: 'right'; first: boolean; to: string }
  /** Right or wrong, but it was verified before and only one verification is allowed. */
  | { kind: 'used'; to: string }

/** A claimed delivery with everything needed to run it. */
export type Job = {
  delivery: Delivery & { from?: string; placeholders?: Record<string, string> }
  pin: Pin
  template: Template
  leaseUntil: number
}

/** What an operator allows on a trunk, over all nodes together. */
export type TrunkLimits = { callsPerSecond: number; concurrency: number }

export type BeginAttempt = {
  attemptId: string
  deliveryId: string
  nodeId: string
  trunk: string
  /** Absent where nothing limits it (SMS). */
  limits?: TrunkLimits
  now: number
}

export type Begun =
  /** `atRateLimit`: with this call the trunk runs at its calls per second, so that a quick 486 is the trunk's, not the user's. */
  | { kind: 'begun'; atRateLimit: boolean }
  /** The trunk carries, or began in the last second, as many calls as it may: nothing was written. */
  | { kind: 'full' }
  /** The lease is no longer ours (also: it is over), another attempt of the delivery is open, or its outcome was told. */
  | { kind: 'lost' }

export type CloseAttempt = {
  deliveryId: string
  nodeId: string
  /** Absent where the delivery ends without any attempt (no route, speech failed). */
  attemptId?: string
  disposition: Disposition
  evidence: Record<string, unknown>
  chargeMicros: Micros
  /** Whether the delivery ends with it: else another attempt follows and the reserve stays. */
  final: boolean
  /** Data of the `delivery.closed` event, written in the same transaction. Never a code. */
  event: Record<string, unknown>
  now: number
}

export type VerificationQuery = {
  applicationId: string
  accountId: string
  to?: string
  verified?: boolean
  sent?: boolean
}
export type VerificationRow = { to: string; verified: boolean; verifiedAt?: number; sentAt?: number }

/** How many rows of each kind were removed. */
export type Removed = { pins: number; deliveries: number; attempts: number; events: number }

/** What is left of a person's number where it was asked to be forgotten: see `Store.erase`. */
export type Erased = Removed & {
  /** Limits that counted for the number. */
  counters: number
  /** PINs of which a delivery is on its way now: they stay, and can be erased once it has ended. */
  inProgress: number
}

export type Store = {
  /** The clock that decides here: the machine's on SQLite, the database's on PostgreSQL, so that all nodes have the same. */
  readonly clock: Clock
  /** Undefined while the database answers; else a sentence that says what is wrong with it. */
  trouble(): string | undefined

  // accounts and access
  listAccounts(): Promise<Account[]>
  /** Makes the account where it is missing. The balance is only set when it is made. */
  ensureAccount(account: Account, balanceMicros: Micros): Promise<void>
  /** Sets the login of an account (one per user name; an account can have several). */
  putLogin(login: Login): Promise<void>
  findLogin(user: string): Promise<Login | undefined>
  createKey(key: ApiKey): Promise<void>
  findKey(secretHash: string): Promise<ApiKey | undefined>
  listKeys(accountId: string): Promise<ApiKey[]>
  /** Turns a key on or off; false where the account has no such key. */
  setKeyEnabled(accountId: string, keyId: string, enabled: boolean): Promise<boolean>
  createSession(session: Session): Promise<void>
  /** Finds a live session and slides it. Ended ones are removed. */
  useSession(tokenHash: string, now: number): Promise<Session | undefined>
  deleteSession(tokenHash: string): Promise<boolean>

  // set-up. Another account's ids are not found.
  createApplication(application: Application): Promise<void>
  updateApplication(application: Application): Promise<boolean>
  findApplication(accountId: string, applicationId: string): Promise<Application | undefined>
  listApplications(accountId: string): Promise<Application[]>
  createTemplate(template: Template): Promise<void>
  updateTemplate(template: Template): Promise<boolean>
  findTemplate(accountId: string, applicationId: string, templateId: string): Promise<Template | undefined>
  listTemplates(accountId: string, applicationId: string): Promise<Template[]>

  // PINs
  /** Everything a send or resend decides from, in one read. */
  loadForSend(
    accountId: string,
    applicationId: string,
    templateId: string,
  ): Promise<{ application?: Application; template?: Template }>
  loadPin(
    accountId: string,
    pinId: string,
  ): Promise<{ pin: Pin; application: Application; template: Template } | undefined>
  /** PIN, delivery, job, counters and reserve in one transaction; a refusal leaves nothing of them behind. */
  admitSend(send: AdmitSend): Promise<Admission>
  admitResend(resend: AdmitResend): Promise<ResendAdmission>
  countCheck(check: CountCheck): Promise<CheckResult>
  /**
   * Newest first, the 10,000 newest at most. `sentAt` is when the PIN was made, there where a message went out: an SMS was
   * handed over, or a call was answered by whomever.
   */
  verifications(query: VerificationQuery): Promise<VerificationRow[]>

  // deliveries
  findDelivery(accountId: string, deliveryId: string): Promise<Delivery | undefined>
  deliveriesOf(accountId: string, pinId: string): Promise<Delivery[]>
  attemptsOf(deliveryId: string): Promise<Attempt[]>
  /** Takes owed deliveries that nobody holds, oldest first. */
  claimDeliveries(claim: {
    nodeId: string
    channel: Channel
    most: number
    leaseMs: number
    now: number
  }): Promise<Job[]>
  /** Gives a claimed delivery back untouched: only before any attempt. */
  unclaim(deliveryId: string, nodeId: string): Promise<void>
  /** Says that we still carry these deliveries out. One that is no longer ours is left alone. */
  extendLeases(lease: { nodeId: string; deliveryIds: string[]; leaseMs: number; now: number }): Promise<void>
  /** Written before anything leaves the machine: unless it is begun, nothing may leave. */
  beginAttempt(attempt: BeginAttempt): Promise<Begun>
  /**
   * The outcome is known while the call still goes on (the code was heard, the repetition is being read): sets the
   * delivery's disposition and evidence and writes a `delivery.outcome` event, but leaves it open. What was told to a
   * client stays true: `recover` closes such a delivery with this disposition, not as abandoned (charging nothing), and a
   * later closeAttempt replaces only the evidence. False, with nothing changed, where the delivery is closed, not this
   * node's, or its outcome was told before.
   */
  recordOutcome(outcome: {
    deliveryId: string
    nodeId: string
    disposition: Disposition
    evidence: Record<string, unknown>
    event: Record<string, unknown>
    now: number
  }): Promise<boolean>
  /**
   * Attempt, money and event in one transaction. False where it was closed before: nothing changes then. What all attempts
   * of a delivery are charged never exceeds its reserve. The event is written with `final` only.
   *
   * One exception: a node that was only slow comes back with the true end of an attempt that `recover` ended as
   * `abandoned`. Then, once, attempt and delivery get the true disposition and evidence, the account is charged (at most the
   * former reserve, and what is free of the balance), a `delivery.corrected` event is written, and it is true.
   */
  closeAttempt(close: CloseAttempt): Promise<boolean>
  /**
   * Deals with deliveries whose holder is gone (lease over, or `all` but this node's where the store has one node only):
   * an open attempt ends as `abandoned`, money freed; without one the delivery is owed again. Nobody is redialled.
   */
  recover(recover: { nodeId: string; all: boolean; now: number }): Promise<{ abandoned: Delivery[]; requeued: number }>
  /** Owed and claimed deliveries. */
  backlog(): Promise<{ owed: number; claimed: number }>
  /** What an idle node asks now and then, in one query: which channels owe something, and whether a lease is over. */
  look(now: number): Promise<{ owed: Channel[]; overdue: boolean }>
  /** Tells other nodes that this one has its hands full and more is owed. Only a wake-up: it may be lost. */
  askForHelp(channel: Channel): void
  /** Called where another node asks for help. Returns how to stop listening. */
  onHelpAsked(listener: (channel: Channel) => void): () => void

  // money
  topUp(accountId: string, micros: Micros, note: string, now: number): Promise<void>
  balance(accountId: string): Promise<{ balanceMicros: Micros; reservedMicros: Micros }>
  /** The ledger against the balances, and the reserves against the open deliveries that hold them: zero when all is well. */
  ledgerDrift(): Promise<Micros>

  // events
  eventsAfter(accountId: string, seq: number, most: number): Promise<StoredEvent[]>
  /** Number of the account's newest event, 0 before the first; also where that one was removed since. */
  lastSeq(accountId: string): Promise<number>
  /** Called after the commit of each event; those of other nodes may come late, out of order, or not at all. */
  onEvent(listener: (event: StoredEvent) => void): () => void

  /** A small value kept for good, e.g. the master key's fingerprint; the first value set stays. */
  rememberOnce(name: string, value: string): Promise<string>
  /** Removes counters whose window ended, idempotency records and sessions past their time. */
  sweep(now: number): Promise<void>
  /**
   * Removes what an account no longer needs, at most so many PINs and so many events a time (call it again while it
   * removes): PINs made before `before` that are over, none of whose deliveries is open, with all that hangs on them;
   * events before it; settlements before it become one line of the ledger a day.
   */
  prune(prune: { accountId: string; before: number; most: number }): Promise<Removed>
  /** Forgets a person: every PIN of the number, in all accounts, with all that hangs on it. What was paid stays, without whom. */
  erase(number: string): Promise<Erased>
  /**
   * Seals numbers anew whose key is not the current one, at most `most` PINs after the PIN `after` looked at ('' at first).
   * `last` is where to go on; absent at the end.
   */
  resealNumbers(reseal: { after: string; most: number }): Promise<{ resealed: number; last?: string }>
  close(): Promise<void>
}
