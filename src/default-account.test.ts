import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TEST_NUMBERS } from '../test/store/world.ts'
import { ManualClock } from './clock.ts'
import { ensureDefaultAccount } from './default-account.ts'
import { silentLog } from './log.ts'
import { openSqliteStore } from './store/index.ts'

test('nodes that start together make one default account with one key', async () => {
  const clock = new ManualClock()
  const store = await openSqliteStore({ path: ':memory:', log: silentLog, clock, numbers: TEST_NUMBERS })
  const settings = { account: { balanceMicros: 5 } } as Parameters<typeof ensureDefaultAccount>[1]
  const secrets = { user: 'pincall', password: 'a password', apiKey: 'k'.repeat(40), masterKeys: [], made: [] }
  await Promise.all([1, 2, 3].map((now) => ensureDefaultAccount(store, settings, secrets, now)))
  const [account] = await store.listAccounts()
  assert.equal((await store.listKeys(account.accountId)).length, 1)
  assert.equal((await store.balance(account.accountId)).balanceMicros, 5)
  await store.close()
})
