import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { DAY, LEASE_MS, limit, makeWorld, newId, START, TEST_NUMBERS } from '../../../test/store/world.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import { openSqliteStore } from './open.ts'

const NUMBER = '41790987654'
const folder = mkdtempSync(join(tmpdir(), 'pincall-at-rest-'))
after(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'numbers.db')

const holds = (text: string): boolean =>
  ['', '-wal', '-shm'].some((suffix) => existsSync(path + suffix) && readFileSync(path + suffix).includes(text))

test('no file of the database holds a number in clear, whatever was done with it', async () => {
  const store = await openSqliteStore({ path, log: silentLog, clock: systemClock, numbers: TEST_NUMBERS })
  const world = await makeWorld(store)
  const { accountId, applicationId } = world
  const counted = (what: string) => [limit('l', `${what}:${applicationId}`, 9, DAY, NUMBER)]
  const idempotency = () => ({ key: newId('idem'), fingerprint: `send ${NUMBER}` })
  const told = { nodeId: world.nodeId, disposition: 'heard', evidence: {}, event: {}, now: START } as const

  const first = await world.send({ pin: { to: NUMBER }, counted: counted('send-number'), idempotency: idempotency() })
  const attemptId = await world.claimAndBegin(first.deliveryId)
  await store.recordOutcome({ deliveryId: first.deliveryId, ...told })
  await world.close(first.deliveryId, { attemptId, chargeMicros: 10 })
  await world.check(first.pinId, false, { counted: counted('check') })
  await world.resend(first.pinId, { counted: counted('resend'), idempotency: idempotency() })
  const [again] = await world.claim()
  const lost = await world.begin(again!.delivery.deliveryId)
  await store.recover({ nodeId: 'node-b', all: false, now: START + LEASE_MS })
  await world.close(again!.delivery.deliveryId, { attemptId: lost, chargeMicros: 10 })
  await world.check(first.pinId, true, { counted: counted('check') })
  await store.verifications({ accountId, applicationId, to: NUMBER })
  assert.equal((await store.loadPin(accountId, first.pinId))?.pin.to, NUMBER)

  assert.ok(holds(first.pinId), 'what is kept in clear is found in the files by this test')
  assert.ok(holds(TEST_NUMBERS.hash(NUMBER)))
  assert.equal(holds(NUMBER), false)
  await store.close()
  assert.ok(holds(first.pinId))
  assert.equal(holds(NUMBER), false)
})

test('after a person was erased not even the sealed number or its hash is left in the file', async () => {
  const store = await openSqliteStore({ path, log: silentLog, clock: systemClock, numbers: TEST_NUMBERS })
  assert.equal((await store.erase(NUMBER)).pins, 1)
  await store.close() // the last one out writes the log into the file
  assert.equal(holds(TEST_NUMBERS.hash(NUMBER)), false)
  assert.equal(holds('old.key.'), false, 'nothing sealed')
  assert.ok(holds('Your code is'))
})
