import type { Log } from '../../log.ts'
import type { Store } from '../types.ts'
import { prepareKeys, prepareLogins, prepareSessions } from './access.ts'
import { prepareAccounts } from './accounts.ts'
import { prepareAdmitResend } from './admit-resend.ts'
import { prepareAdmitSend } from './admit-send.ts'
import { prepareBeginAttempt } from './begin-attempt.ts'
import { prepareClaims } from './claim-deliveries.ts'
import { prepareCloseAttempt } from './close-attempt.ts'
import { prepareCountCheck } from './count-check.ts'
import { type Database, openDatabase } from './database.ts'
import { makeListeners, prepareEvents } from './events.ts'
import { prepareFindDeliveries } from './find-deliveries.ts'
import { prepareRecordOutcome } from './record-outcome.ts'
import { prepareRecover } from './recover.ts'
import { prepareRememberOnce } from './remember-once.ts'
import { prepareApplications, prepareLoadPin, prepareTemplates } from './set-up.ts'
import { type Cursor, prepareSweep } from './sweep.ts'
import { prepareVerifications } from './verifications.ts'
import { WriteQueue } from './write-queue.ts'

export type SqliteOptions = {
  /** A file on a local disk, or `:memory:`. */
  path: string
  log: Log
}

/** Opens the store: every statement is compiled here, once. Writes go through the queue, reads go straight. */
export async function openSqliteStore(options: SqliteOptions): Promise<Store> {
  const database = openDatabase(options.path)
  const listeners = makeListeners(options.log)
  const queue = new WriteQueue(database, options.log, listeners.publish)
  let closed = false
  return {
    ...accessOf(database, queue),
    ...setUpOf(database, queue),
    ...pinsOf(database, queue),
    ...deliveriesOf(database, queue),
    ...moneyOf(database, queue),
    ...sundryOf(database, queue),
    onEvent: listeners.add,
    close: async () => {
      if (closed) return
      closed = true
      queue.close()
      database.close()
    },
  }
}

type Of<Names extends keyof Store> = Pick<Store, Names>

function accessOf(
  database: Database,
  queue: WriteQueue,
): Of<
  | 'putLogin'
  | 'findLogin'
  | 'createKey'
  | 'findKey'
  | 'listKeys'
  | 'setKeyEnabled'
  | 'createSession'
  | 'useSession'
  | 'deleteSession'
> {
  const logins = prepareLogins(database)
  const keys = prepareKeys(database)
  const sessions = prepareSessions(database)
  return {
    putLogin: (login) => queue.write(() => logins.put(login)),
    findLogin: async (user) => logins.find(user),
    createKey: (key) => queue.write(() => keys.create(key)),
    findKey: async (secretHash) => keys.find(secretHash),
    listKeys: async (accountId) => keys.list(accountId),
    setKeyEnabled: (accountId, keyId, enabled) => queue.write(() => keys.enable(accountId, keyId, enabled)),
    createSession: (session) => queue.write(() => sessions.create(session)),
    useSession: async (tokenHash, now) => {
      const session = sessions.read(tokenHash)
      if (!session || !sessions.moves(session, now)) return session
      return queue.write(() => sessions.use(tokenHash, now))
    },
    deleteSession: (tokenHash) => queue.write(() => sessions.remove(tokenHash)),
  }
}

function setUpOf(
  database: Database,
  queue: WriteQueue,
): Of<
  | 'createApplication'
  | 'updateApplication'
  | 'findApplication'
  | 'listApplications'
  | 'createTemplate'
  | 'updateTemplate'
  | 'findTemplate'
  | 'listTemplates'
  | 'loadForSend'
> {
  const applications = prepareApplications(database)
  const templates = prepareTemplates(database)
  return {
    createApplication: (application) => queue.write(() => applications.create(application)),
    updateApplication: (application) => queue.write(() => applications.update(application)),
    findApplication: async (accountId, applicationId) => applications.find(accountId, applicationId),
    listApplications: async (accountId) => applications.list(accountId),
    createTemplate: (template) => queue.write(() => templates.create(template)),
    updateTemplate: (template) => queue.write(() => templates.update(template)),
    findTemplate: async (accountId, applicationId, templateId) => templates.find(accountId, applicationId, templateId),
    listTemplates: async (accountId, applicationId) => templates.list(accountId, applicationId),
    loadForSend: async (accountId, applicationId, templateId) => {
      const application = applications.find(accountId, applicationId)
      const template = templates.find(accountId, applicationId, templateId)
      return { ...(application && { application }), ...(template && { template }) }
    },
  }
}

function pinsOf(
  database: Database,
  queue: WriteQueue,
): Of<'loadPin' | 'admitSend' | 'admitResend' | 'countCheck' | 'verifications'> {
  const loadPin = prepareLoadPin(database)
  const admitSend = prepareAdmitSend(database)
  const admitResend = prepareAdmitResend(database)
  const countCheck = prepareCountCheck(database)
  const verifications = prepareVerifications(database)
  return {
    loadPin: async (accountId, pinId) => loadPin(accountId, pinId),
    admitSend: (send) => queue.write((tx) => admitSend(send, tx)),
    admitResend: (resend) => queue.write((tx) => admitResend(resend, tx)),
    countCheck: (check) => queue.write((tx) => countCheck(check, tx)),
    verifications: async (query) => verifications(query),
  }
}

function deliveriesOf(
  database: Database,
  queue: WriteQueue,
): Of<
  | 'findDelivery'
  | 'deliveriesOf'
  | 'attemptsOf'
  | 'backlog'
  | 'claimDeliveries'
  | 'unclaim'
  | 'extendLeases'
  | 'beginAttempt'
  | 'recordOutcome'
  | 'closeAttempt'
  | 'recover'
> {
  const deliveries = prepareFindDeliveries(database)
  const claims = prepareClaims(database)
  const beginAttempt = prepareBeginAttempt(database)
  const recordOutcome = prepareRecordOutcome(database)
  const closeAttempt = prepareCloseAttempt(database)
  const recover = prepareRecover(database)
  return {
    findDelivery: async (accountId, deliveryId) => deliveries.find(accountId, deliveryId),
    deliveriesOf: async (accountId, pinId) => deliveries.ofPin(accountId, pinId),
    attemptsOf: async (deliveryId) => deliveries.attempts(deliveryId),
    backlog: async () => deliveries.backlog(),
    claimDeliveries: (claim) => queue.write(() => claims.claim(claim)),
    unclaim: (deliveryId, nodeId) => queue.write(() => claims.unclaim(deliveryId, nodeId)),
    extendLeases: (lease) => queue.write(() => claims.extend(lease)),
    beginAttempt: (attempt) => queue.write(() => beginAttempt(attempt)),
    recordOutcome: (outcome) => queue.write((tx) => recordOutcome(outcome, tx)),
    closeAttempt: (close) => queue.write((tx) => closeAttempt(close, tx)),
    recover: (request) => queue.write((tx) => recover(request, tx)),
  }
}

function moneyOf(database: Database, queue: WriteQueue): Of<'ensureAccount' | 'topUp' | 'balance' | 'ledgerDrift'> {
  const accounts = prepareAccounts(database)
  return {
    ensureAccount: (account, balanceMicros) => queue.write(() => accounts.ensure(account, balanceMicros)),
    topUp: (accountId, micros, note, now) => queue.write(() => accounts.topUp(accountId, micros, note, now)),
    balance: async (accountId) => accounts.balance(accountId),
    ledgerDrift: async () => accounts.drift(),
  }
}

function sundryOf(database: Database, queue: WriteQueue): Of<'eventsAfter' | 'lastSeq' | 'rememberOnce' | 'sweep'> {
  const events = prepareEvents(database)
  const rememberOnce = prepareRememberOnce(database)
  const sweep = prepareSweep(database)
  const walk = async (slice: (from: readonly string[]) => Cursor) => {
    for (let from: Cursor = []; from; ) {
      const here: readonly string[] = from
      from = await queue.write(() => slice(here))
    }
  }
  return {
    eventsAfter: async (accountId, seq, most) => events.after(accountId, seq, most),
    lastSeq: async () => events.lastSeq(),
    rememberOnce: (name, value) => queue.write(() => rememberOnce(name, value)),
    sweep: async (now) => {
      await walk((from) => sweep.counters(from, now))
      await walk((from) => sweep.idempotency(from, now))
      await queue.write(() => sweep.sessions(now))
    },
  }
}
