import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TEST_NUMBERS } from '../test/store/world.ts'
import { absentDatabase } from '../test/testbed/absent-database.ts'
import { ManualClock } from './clock.ts'
import { silentLog } from './log.ts'
import { openSqliteStore } from './store/index.ts'
import { watchedStore } from './watched-store.ts'

test('what the database could not do is counted, whoever asked; answers and other errors pass as they are', async () => {
  const clock = new ManualClock()
  const real = await openSqliteStore({ path: ':memory:', log: silentLog, clock, numbers: TEST_NUMBERS })
  let away = false
  let counted = 0
  const unavailable = absentDatabase(real)
  unavailable.takeAway()
  const store = watchedStore(
    { ...real, listAccounts: () => (away ? unavailable.store : real).listAccounts() },
    () => counted++,
  )
  assert.equal(store.clock, clock)
  await store.ensureAccount({ accountId: 'A', name: 'acme', createdAt: 1 }, 5)
  assert.equal((await store.listAccounts()).length, 1)
  await assert.rejects(store.createApplication({} as never))
  assert.equal(counted, 0)
  away = true
  await assert.rejects(store.listAccounts(), { code: 'unavailable' })
  assert.equal(counted, 1)
  await store.close()
})
