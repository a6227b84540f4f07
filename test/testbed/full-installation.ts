import { sealedNumbers } from '../../src/store/numbers.ts'
import type { Store } from '../../src/store/types.ts'
import { codeKeys } from '../../src/verification/code.ts'
import { DAY, LEASE_MS, limit, MINUTE, makeWorld, newId, START } from '../store/world.ts'

/** The keys of the installation that is moved: an older one still seals some of its numbers. */
export const MASTERS = [
  { id: 'k2', key: Buffer.alloc(32, 22) },
  { id: 'k1', key: Buffer.alloc(32, 11) },
]
export const NUMBERS = sealedNumbers(MASTERS)
export const OLD_NUMBERS = sealedNumbers(MASTERS.slice(1))
export const CODES = codeKeys(MASTERS)

export const PHONE = '41793026727'
/** Of what a file could trip over: two bytes, three and four, both quotes, line ends that are none to JSON. */
export const UNICODE = 'Zürich „✓“ 😀 "\\" \n\u2028 ﬁn'

export type Filled = Awaited<ReturnType<typeof fillInstallation>>

/**
 * Does to a new store what years of use do: several accounts, every kind of row, every column once set and once empty
 * where it may be.
 */
export async function fillInstallation(store: Store) {
  for (const name of ['b', 'A', 'a', 'B', 'ä', '_']) await store.rememberOnce(`sorted:${name}`, name)
  const one = await makeWorld(store, { balanceMicros: 5_000_000 })
  const two = await makeWorld(store, { balanceMicros: 0 })
  await store.topUp(two.accountId, 300_000, UNICODE, START)
  await store.putLogin({ accountId: one.accountId, user: 'jürg', passwordHash: 'scrypt$x' })
  const key = { accountId: one.accountId, permissions: ['ALL'], createdAt: START }
  const plain = { ...key, keyId: newId('key'), name: UNICODE, secretHash: newId('hash'), enabled: true, scopes: ['a'] }
  await store.createKey({ ...plain, allowedIps: [] })
  const limited = { ...key, keyId: newId('key'), name: 'x', secretHash: newId('hash'), enabled: false, scopes: [] }
  await store.createKey({ ...limited, allowedIps: ['192.0.2.1'], validFrom: START, validTo: START + DAY })
  const sliding = { tokenHash: newId('token'), accountId: one.accountId, expiresAt: START + DAY, slidesMs: 60 * MINUTE }
  const { slidesMs, ...ended } = sliding
  await store.createSession({ ...sliding, kind: 'session' })
  await store.createSession({ ...ended, tokenHash: newId('token'), kind: 'oauth' })
  await store.createTemplate({
    templateId: newId('template'),
    applicationId: one.applicationId,
    accountId: one.accountId,
    pinType: 'ALPHANUMERIC',
    pinLength: 8,
    text: `${UNICODE} {{pin}}`,
    placeholder: '{{pin}}',
    speechRate: 0.8,
    regional: { indiaDlt: { contentTemplateId: 'x' } },
    createdAt: START,
  })

  const pinOf = (to = PHONE) => ({ to, codeKeyId: 'k2' })
  const counted = [limit('sendPinPerPhoneNumberLimit', `send-number:${one.applicationId}`, 50, DAY, PHONE)]
  const idempotency = { key: UNICODE, fingerprint: 'what was asked' }
  const open = await one.send({
    pin: { ...pinOf(), placeholders: { name: UNICODE } },
    delivery: { from: '+41446681800', placeholders: { name: 'Ada' } },
    counted,
    idempotency,
  })
  await one.claimAndBegin(open.deliveryId)

  const verified = await one.send({ pin: pinOf('41791112233') })
  const heard = await one.claimAndBegin(verified.deliveryId)
  await one.close(verified.deliveryId, { attemptId: heard, chargeMicros: 700, evidence: { said: UNICODE, q850: null } })
  await one.resend(verified.pinId, { now: START + MINUTE, delivery: { channel: 'sms' } })
  await one.check(verified.pinId, false)
  await one.check(verified.pinId, true, { now: START + MINUTE })

  const told = await two.send({ pin: pinOf() })
  const second = await two.claimAndBegin(told.deliveryId)
  await two.close(told.deliveryId, { attemptId: second, final: false, disposition: 'trunk_failed', chargeMicros: 10 })
  await two.begin(told.deliveryId)
  const outcome = { deliveryId: told.deliveryId, nodeId: two.nodeId, disposition: 'heard', now: START } as const
  await store.recordOutcome({ ...outcome, evidence: { reads: 1 }, event: { disposition: 'heard' } })

  const lost = await two.send({ pin: pinOf() })
  await two.claim({ nodeId: 'node-dead' })
  await two.on(store, 'node-dead').begin(lost.deliveryId)
  const claimed = await two.send({ pin: pinOf() })
  await store.extendLeases({
    nodeId: two.nodeId,
    deliveryIds: [told.deliveryId],
    leaseMs: 3 * LEASE_MS,
    now: START + LEASE_MS,
  })
  await store.extendLeases({
    nodeId: one.nodeId,
    deliveryIds: [open.deliveryId],
    leaseMs: 3 * LEASE_MS,
    now: START + LEASE_MS,
  })
  await store.recover({ nodeId: 'node-c', all: false, now: START + LEASE_MS + 1 })
  await two.claim({ now: START + LEASE_MS + 2 })
  const owed = await two.send({ pin: pinOf() })
  return { one, two, open, verified, told, lost, claimed, owed, sliding, idempotency }
}
