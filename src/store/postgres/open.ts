import { type Clock, systemClock } from '../../clock.ts'
import { PincallError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { type Random, systemRandom } from '../../random.ts'
import { makeListeners } from '../listeners.ts'
import type { Numbers } from '../numbers.ts'
import type { Channel, Store, StoredEvent } from '../types.ts'
import { makeKeys, makeLogins, makeSessions } from './access.ts'
import { makeAccounts } from './accounts.ts'
import { admitResendRoutines, makeAdmitResend } from './admit-resend.ts'
import { admitSendRoutines, makeAdmitSend } from './admit-send.ts'
import { beginAttemptRoutines, makeBeginAttempt } from './begin-attempt.ts'
import { makeClaims } from './claim-deliveries.ts'
import { closeAttemptRoutines, makeCloseAttempt } from './close-attempt.ts'
import { Hosts, ReadOnlyServer, shownUrl } from './connect.ts'
import { countCheckRoutines, makeCountCheck } from './count-check.ts'
import { type Database, openDatabase } from './database.ts'
import { followDatabase } from './database-clock.ts'
import { makeErase } from './erase.ts'
import { makeEvents } from './events.ts'
import { makeFindDeliveries } from './find-deliveries.ts'
import { foldRoutines } from './fold-settlements.ts'
import { migrate } from './migrate.ts'
import { openNotices } from './notices.ts'
import { makePrune } from './prune.ts'
import { makeRecordOutcome, recordOutcomeRoutines } from './record-outcome.ts'
import { makeRecover, recoverRoutines } from './recover.ts'
import { removePins } from './remove-pins.ts'
import { makeResealNumbers } from './reseal-numbers.ts'
import { appendEvents, raiseCounter, raiseCounters, raiseTogether, retryAfter } from './routines.ts'
import { makeApplications, makeLoadPin, makeTemplates } from './set-up.ts'
import { makeSweep } from './sweep.ts'
import { meaningOf } from './trouble.ts'
import { makeVerifications } from './verifications.ts'

export type PostgresOptions = {
  /** `postgres://user:password@host:5432/database`; several hosts joined by commas: whichever can be written to is used. */
  url: string
  /** Connections at most. */
  poolSize?: number
  log: Log
  numbers: Numbers
  clock?: Clock
  random?: Random
}

/** In the order in which they call each other. */
const ROUTINES = [
  appendEvents,
  raiseCounter,
  retryAfter,
  raiseCounters,
  raiseTogether,
  ...admitSendRoutines,
  ...admitResendRoutines,
  ...countCheckRoutines,
  ...beginAttemptRoutines,
  ...closeAttemptRoutines,
  ...recordOutcomeRoutines,
  ...recoverRoutines,
  ...foldRoutines,
  removePins,
]

/**
 * Opens the store on PostgreSQL: brings the tables up to date, follows the database's clock, and listens for other nodes.
 * Rejects with `configuration` where it can not be used, in a sentence that says what to change.
 */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  const { log, numbers, clock: local = systemClock, random = systemRandom } = options
  const hosts = new Hosts(options.url)
  await firstContact(hosts, options.url, log)
  const database = openDatabase(hosts.pool('pincall', options), hosts, local, log)
  const askTime = { name: 'clock', text: 'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now' }
  const clock = await followDatabase(local, async () => (await database.query<{ now: number }>(askTime, []))[0].now)
  const events = makeListeners<StoredEvent>(log)
  const help = makeListeners<Channel>(log)
  const notices = openNotices({
    hosts,
    database,
    clock: local,
    log,
    id: random.hex(8),
    onEvent: events.publish,
    onHelpAsked: help.publish,
  })
  const tell = (event: StoredEvent) => {
    events.publish(event)
    notices.tellEvent(event)
  }
  const deliveries = makeFindDeliveries(database, numbers)
  let closing: Promise<void> | undefined
  return {
    clock,
    trouble: database.trouble,
    ...accessOf(database),
    ...setUpOf(database),
    ...pinsOf(database, numbers, random, tell),
    ...deliveriesOf(database, numbers, tell),
    async look(now) {
      clock.follow().catch((error) => log.debug({ err: error }, "the database's clock could not be asked"))
      return deliveries.look(now)
    },
    askForHelp: notices.askForHelp,
    onHelpAsked: help.add,
    ...moneyOf(database, random),
    ...eventsOf(database),
    onEvent: events.add,
    ...keepingOf(database, numbers),
    close() {
      closing ??= notices.close().then(() => database.close())
      return closing
    },
  }
}

/** Each host is tried; what is wrong with the last one is told. */
async function firstContact(hosts: Hosts, url: string, log: Log): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await migrate(hosts, log, ROUTINES)
      return
    } catch (error) {
      if (error instanceof PincallError) throw error
      const code = (error as { code?: string }).code ?? ''
      const again = meaningOf(error) !== 'fault' || RACES.has(code)
      if (again && tries < Math.max(3, hosts.count * 2)) continue
      throw new PincallError(
        'configuration',
        `The database ${shownUrl(url)} can not be used: ${reasonOf(error, code)}`,
        {
          cause: error,
        },
      )
    }
  }
}

/** Another node made the same thing at the same moment. */
const RACES = new Set(['23505', '42P07', '42710', '42723'])

function reasonOf(error: unknown, code: string): string {
  if (error instanceof ReadOnlyServer)
    return 'it can only be read (a standby?); name the primary, or all hosts joined by commas.'
  if (code.startsWith('28')) return 'user or password are refused; set PINCALL_DATABASE_URL.'
  if (code === '3D000') return 'there is no such database; make it with createdb, or set PINCALL_DATABASE_URL.'
  if (code === '42501') return 'the user may not make tables there; GRANT CREATE ON SCHEMA public.'
  const message = error instanceof Error && error.message ? error.message : code || String(error)
  return `${message}; start PostgreSQL, or set PINCALL_DATABASE_URL.`
}

type Of<Names extends keyof Store> = Pick<Store, Names>

function accessOf(
  database: Database,
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
  const logins = makeLogins(database)
  const keys = makeKeys(database)
  const sessions = makeSessions(database)
  return {
    putLogin: logins.put,
    findLogin: logins.find,
    createKey: keys.create,
    findKey: keys.find,
    listKeys: keys.list,
    setKeyEnabled: keys.enable,
    createSession: sessions.create,
    useSession: sessions.use,
    deleteSession: sessions.remove,
  }
}

function setUpOf(
  database: Database,
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
  const applications = makeApplications(database)
  const templates = makeTemplates(database)
  return {
    createApplication: applications.create,
    updateApplication: applications.update,
    findApplication: applications.find,
    listApplications: applications.list,
    createTemplate: templates.create,
    updateTemplate: templates.update,
    findTemplate: templates.find,
    listTemplates: templates.list,
    loadForSend: async (accountId, applicationId, templateId) => {
      const [application, template] = await Promise.all([
        applications.find(accountId, applicationId),
        templates.find(accountId, applicationId, templateId),
      ])
      return { ...(application && { application }), ...(template && { template }) }
    },
  }
}

function pinsOf(
  database: Database,
  numbers: Numbers,
  random: Random,
  tell: (event: StoredEvent) => void,
): Of<'loadPin' | 'admitSend' | 'admitResend' | 'countCheck' | 'verifications'> {
  return {
    loadPin: makeLoadPin(database, numbers),
    admitSend: makeAdmitSend(database, numbers),
    admitResend: makeAdmitResend(database, numbers),
    countCheck: makeCountCheck(database, numbers, random, tell),
    verifications: makeVerifications(database, numbers),
  }
}

function deliveriesOf(
  database: Database,
  numbers: Numbers,
  tell: (event: StoredEvent) => void,
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
  const deliveries = makeFindDeliveries(database, numbers)
  const claims = makeClaims(database, numbers)
  return {
    findDelivery: deliveries.find,
    deliveriesOf: deliveries.ofPin,
    attemptsOf: deliveries.attempts,
    backlog: deliveries.backlog,
    claimDeliveries: claims.claim,
    unclaim: claims.unclaim,
    extendLeases: claims.extend,
    beginAttempt: makeBeginAttempt(database),
    recordOutcome: makeRecordOutcome(database, tell),
    closeAttempt: makeCloseAttempt(database, tell),
    recover: makeRecover(database, numbers, tell),
  }
}

function moneyOf(
  database: Database,
  random: Random,
): Of<'ensureAccount' | 'listAccounts' | 'topUp' | 'balance' | 'ledgerDrift'> {
  const accounts = makeAccounts(database, random)
  return {
    ensureAccount: accounts.ensure,
    listAccounts: accounts.list,
    topUp: accounts.topUp,
    balance: accounts.balance,
    ledgerDrift: accounts.drift,
  }
}

function eventsOf(database: Database): Of<'eventsAfter' | 'lastSeq'> {
  const events = makeEvents(database)
  return { eventsAfter: events.after, lastSeq: events.lastSeq }
}

function keepingOf(
  database: Database,
  numbers: Numbers,
): Of<'rememberOnce' | 'sweep' | 'prune' | 'erase' | 'resealNumbers'> {
  const remember = {
    name: 'remember once',
    text: `WITH made AS (INSERT INTO remembered (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING value)
      SELECT value FROM made UNION ALL SELECT value FROM remembered WHERE name = $1`,
  }
  return {
    async rememberOnce(name, value) {
      for (;;) {
        const [row] = await database.query<{ value: string }>(remember, [name, value])
        if (row) return row.value // none: another node's was not committed when this one looked, and is by now
      }
    },
    sweep: makeSweep(database),
    prune: makePrune(database),
    erase: makeErase(database, numbers),
    resealNumbers: makeResealNumbers(database, numbers),
  }
}
