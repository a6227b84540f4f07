import { countedByCheck, countedBySend } from '../../src/admission/index.ts'
import { systemRandom } from '../../src/random.ts'
import type { AdmitSend, Application, CountCheck, Store } from '../../src/store/index.ts'
import { opaqueId, timedId } from '../../src/verification/ids.ts'

/** What the store is asked for, as the server asks it: a priced send with both its limits, a check with its limit. */

const HOUR_MS = 3_600_000
const PRICE_MICROS = 100
const WIDE = { count: 1e9, windowMs: HOUR_MS }

/** Who sends: an account with money, its application and its template. */
export type Party = { application: Application; templateId: string }

export async function makeParties(store: Store, count: number): Promise<Party[]> {
  const parties: Party[] = []
  for (let i = 0; i < count; i++) parties.push(await makeParty(store))
  return parties
}

async function makeParty(store: Store): Promise<Party> {
  const [accountId, applicationId, templateId] = Array.from({ length: 3 }, () => opaqueId(systemRandom))
  const createdAt = store.clock.now()
  await store.ensureAccount({ accountId, name: 'benchmark', createdAt }, 1e12)
  const application: Application = {
    applicationId,
    accountId,
    processId: opaqueId(systemRandom),
    name: 'benchmark',
    enabled: true,
    settings: {
      pinAttempts: 10,
      allowMultiplePinVerifications: true,
      pinTimeToLive: { ms: HOUR_MS },
      verifyPinLimit: WIDE,
      sendPinPerApplicationLimit: WIDE,
      sendPinPerPhoneNumberLimit: WIDE,
    },
    createdAt,
  }
  await store.createApplication(application)
  await store.createTemplate({
    templateId,
    applicationId,
    accountId,
    pinType: 'NUMERIC',
    pinLength: 6,
    text: 'Your code is {{pin}}.',
    placeholder: '{{pin}}',
    createdAt,
  })
  return { application, templateId }
}

/** Different numbers all the time, spread over all there are, as those of people are. */
export function drawnNumbers(node = 0): () => string {
  let made = 0
  return () => `49${node}${String(150_000_000 + ((made++ * 7_368_787) % 100_000_007)).padStart(9, '0')}`
}

export function sendFor({ application, templateId }: Party, to: string, now: number): AdmitSend {
  const { accountId, applicationId } = application
  return {
    pin: {
      pinId: timedId(systemRandom, now),
      accountId,
      applicationId,
      templateId,
      codeKeyId: 'k1',
      to,
      pinType: 'NUMERIC',
      pinLength: 6,
      createdAt: now,
      expiresAt: now + HOUR_MS,
      maxChecks: 10,
      allowMultiple: true,
    },
    delivery: { deliveryId: timedId(systemRandom, now), channel: 'sms', reserveMicros: PRICE_MICROS },
    counted: countedBySend(application, to),
    now,
  }
}

export type Sent = { party: Party; pinId: string; to: string }

export function checkFor({ party, pinId, to }: Sent, matches: boolean, now: number): CountCheck {
  const { application } = party
  return { accountId: application.accountId, pinId, matches, counted: countedByCheck(application, to), now }
}

/** Whatever admits sends and counts checks: a store, or what it is compared with. */
export type Subject = Pick<Store, 'admitSend' | 'countCheck'> & { clock: { now(): number } }

/** Sends in turn for each of the parties, and checks what was sent: every PIN twice, wrong, then right. */
export function workOf(subject: Subject, parties: readonly Party[], number: () => string) {
  let sent: Sent[] = []
  return {
    forget(): void {
      sent = []
    },
    sent: () => sent.length,
    async send(i: number): Promise<void> {
      const party = parties[i % parties.length]
      const to = number()
      const admission = await subject.admitSend(sendFor(party, to, subject.clock.now()))
      if (admission.kind !== 'owed') throw new Error(`refused: ${admission.kind}`)
      sent.push({ party, pinId: admission.pinId, to })
    },
    async check(i: number): Promise<void> {
      const matches = i >= sent.length
      const result = await subject.countCheck(checkFor(sent[i % sent.length], matches, subject.clock.now()))
      if (result.kind !== (matches ? 'right' : 'wrong')) throw new Error(`a check was ${result.kind}`)
    },
  }
}
