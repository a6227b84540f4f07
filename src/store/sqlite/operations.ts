import { PincallError } from '../../errors.ts'
import type { Numbers } from '../numbers.ts'
import type { Store } from '../types.ts'
import { prepareKeys, prepareLogins, prepareSessions } from './access.ts'
import { prepareAccounts } from './accounts.ts'
import { prepareAdmitResend } from './admit-resend.ts'
import { prepareAdmitSend } from './admit-send.ts'
import { prepareBeginAttempt } from './begin-attempt.ts'
import { prepareClaims } from './claim-deliveries.ts'
import { prepareCloseAttempt } from './close-attempt.ts'
import { prepareCountCheck } from './count-check.ts'
import type { Database } from './database.ts'
import { prepareErase } from './erase.ts'
import { prepareEvents } from './events.ts'
import { prepareFindDeliveries } from './find-deliveries.ts'
import { preparePrune } from './prune.ts'
import { prepareRecordOutcome } from './record-outcome.ts'
import { prepareRecover } from './recover.ts'
import { prepareRememberOnce } from './remember-once.ts'
import { prepareResealNumbers } from './reseal-numbers.ts'
import { prepareApplications, prepareLoadPin, prepareTemplates } from './set-up.ts'
import { prepareSweep } from './sweep.ts'
import { prepareVerifications } from './verifications.ts'
import type { WriteQueue } from './write-queue.ts'

type Of<Names extends keyof Store> = Pick<Store, Names>

export function accessOf(
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
      try {
        return await queue.write(() => sessions.use(tokenHash, now))
      } catch (error) {
        if (!(error instanceof PincallError) || error.code !== 'unavailable') throw error
        return session.expiresAt > now ? session : undefined // who only reads is let in while nothing can be written
      }
    },
    deleteSession: (tokenHash) => queue.write(() => sessions.remove(tokenHash)),
  }
}

export function setUpOf(
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

export function pinsOf(
  database: Database,
  queue: WriteQueue,
  numbers: Numbers,
): Of<'loadPin' | 'admitSend' | 'admitResend' | 'countCheck' | 'verifications'> {
  const loadPin = prepareLoadPin(database, numbers)
  const admitSend = prepareAdmitSend(database, numbers)
  const admitResend = prepareAdmitResend(database, numbers)
  const countCheck = prepareCountCheck(database, numbers)
  const verifications = prepareVerifications(database, numbers)
  return {
    loadPin: async (accountId, pinId) => loadPin(accountId, pinId),
    admitSend: (send) => queue.write((tx) => admitSend(send, tx)),
    admitResend: (resend) => queue.write((tx) => admitResend(resend, tx)),
    countCheck: (check) => queue.write((tx) => countCheck(check, tx)),
    verifications: async (query) => verifications(query),
  }
}

export function deliveriesOf(
  database: Database,
  queue: WriteQueue,
  numbers: Numbers,
): Of<
  | 'findDelivery'
  | 'deliveriesOf'
  | 'attemptsOf'
  | 'backlog'
  | 'look'
  | 'askForHelp'
  | 'onHelpAsked'
  | 'claimDeliveries'
  | 'unclaim'
  | 'extendLeases'
  | 'beginAttempt'
  | 'recordOutcome'
  | 'closeAttempt'
  | 'recover'
> {
  const deliveries = prepareFindDeliveries(database, numbers)
  const claims = prepareClaims(database, numbers)
  const beginAttempt = prepareBeginAttempt(database)
  const recordOutcome = prepareRecordOutcome(database)
  const closeAttempt = prepareCloseAttempt(database)
  const recover = prepareRecover(database, numbers)
  return {
    findDelivery: async (accountId, deliveryId) => deliveries.find(accountId, deliveryId),
    deliveriesOf: async (accountId, pinId) => deliveries.ofPin(accountId, pinId),
    attemptsOf: async (deliveryId) => deliveries.attempts(deliveryId),
    backlog: async () => deliveries.backlog(),
    look: async (now) => deliveries.look(now),
    askForHelp() {}, // whoever else opens this file shares its machine: there is nobody with a free hand
    onHelpAsked: () => () => {},
    claimDeliveries: (claim) => queue.write(() => claims.claim(claim)),
    unclaim: (deliveryId, nodeId) => queue.write(() => claims.unclaim(deliveryId, nodeId)),
    extendLeases: (lease) => queue.write(() => claims.extend(lease)),
    beginAttempt: (attempt) => queue.write(() => beginAttempt(attempt)),
    recordOutcome: (outcome) => queue.write((tx) => recordOutcome(outcome, tx)),
    closeAttempt: (close) => queue.write((tx) => closeAttempt(close, tx)),
    recover: (request) => queue.write((tx) => recover(request, tx)),
  }
}

export function moneyOf(
  database: Database,
  queue: WriteQueue,
): Of<'listAccounts' | 'ensureAccount' | 'topUp' | 'balance' | 'ledgerDrift'> {
  const accounts = prepareAccounts(database)
  return {
    listAccounts: async () => accounts.list(),
    ensureAccount: (account, balanceMicros) => queue.write(() => accounts.ensure(account, balanceMicros)),
    topUp: (accountId, micros, note, now) => queue.write(() => accounts.topUp(accountId, micros, note, now)),
    balance: async (accountId) => accounts.balance(accountId),
    ledgerDrift: async () => accounts.drift(),
  }
}

export function eventsOf(database: Database, queue: WriteQueue): Of<'eventsAfter' | 'lastSeq' | 'rememberOnce'> {
  const events = prepareEvents(database)
  const rememberOnce = prepareRememberOnce(database)
  return {
    eventsAfter: async (accountId, seq, most) => events.after(accountId, seq, most),
    lastSeq: async (accountId) => events.lastSeq(accountId),
    rememberOnce: (name, value) => queue.write(() => rememberOnce(name, value)),
  }
}

/** What takes long is done in slices, each in a queue slot of its own. */
export function housekeepingOf(
  database: Database,
  queue: WriteQueue,
  numbers: Numbers,
): Of<'sweep' | 'prune' | 'erase' | 'resealNumbers'> {
  return {
    sweep: prepareSweep(database, queue),
    prune: preparePrune(database, queue),
    erase: prepareErase(database, queue, numbers),
    resealNumbers: prepareResealNumbers(database, queue, numbers),
  }
}
