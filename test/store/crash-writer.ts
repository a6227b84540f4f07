import { writeSync } from 'node:fs'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { openSqliteStore } from '../../src/store/index.ts'
import { makeWorld, NODE, TEST_NUMBERS } from './world.ts'

/** Run as a process that is killed: writes without end, and says what it was told is written, one JSON line each. */
const store = await openSqliteStore({
  path: process.argv[2] ?? '',
  log: silentLog,
  clock: systemClock,
  numbers: TEST_NUMBERS,
})
const world = await makeWorld(store, { balanceMicros: 1_000_000_000 })

/** Told before anything else is done; a full pipe is waited for, for the reader may be slow. */
function acknowledged(what: object): void {
  let left = Buffer.from(`${JSON.stringify(what)}\n`)
  while (left.length > 0) {
    try {
      left = left.subarray(writeSync(1, left))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

async function sendAndVerify(): Promise<void> {
  const sent = { accountId: world.accountId, ...(await world.send()) }
  acknowledged({ did: 'send', ...sent })
  await world.check(sent.pinId, true)
  acknowledged({ did: 'verify', ...sent })
}

async function deliver(): Promise<void> {
  for (const { delivery } of await world.claim({ most: 4 })) {
    const { accountId, pinId, deliveryId } = delivery // also of accounts that an earlier process left
    const attemptId = await world.begin(deliveryId)
    acknowledged({ did: 'begin', accountId, pinId, deliveryId })
    await store.closeAttempt({
      deliveryId,
      nodeId: NODE,
      attemptId,
      disposition: 'heard',
      evidence: {},
      chargeMicros: 10,
      final: true,
      event: {},
      now: Date.now(),
    })
    acknowledged({ did: 'close', accountId, pinId, deliveryId })
  }
}

const forever = async (deed: () => Promise<void>) => {
  for (;;) await deed()
}
await Promise.all([...Array.from({ length: 12 }, () => forever(sendAndVerify)), forever(deliver), forever(deliver)])
