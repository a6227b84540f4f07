import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TEST_NUMBERS } from '../test/store/world.ts'
import { ManualClock } from './clock.ts'
import { ensureDefaultAccount } from './default-account.ts'
import { silentLog } from './log.ts'
import { openSqliteStore, type Store } from './store/index.ts'

test('two nodes that start together make one default account with one key', async () => {
  const clock = new ManualClock()
  const store = await openSqliteStore({ path: ':memory:', log: silentLog, clock, numbers: TEST_NUMBERS })
  const settings = { account: { balanceMicros: 5 } } as Parameters<typeof ensureDefaultAccount>[1]
  const secrets = { user: 'pincall', password: 'a password', apiKey: 'k'.repeat(40), masterKeys: [], made: [] }
  const late: Store = {
    ...store,
    async createKey(key) {
      await store.createKey(key) // the other node, in the same moment
      await store.createKey(key)
    },
  }
  await ensureDefaultAccount(late, settings, secrets, 1)
  const [account] = await store.listAccounts()
  assert.equal((await store.listKeys(account.accountId)).length, 1)
  assert.equal((await store.balance(account.accountId)).balanceMicros, 5)
  await store.close()
})

test('a key that can not be made for another reason stops the start', async () => {
  const clock = new ManualClock()
  const store = await openSqliteStore({ path: ':memory:', log: silentLog, clock, numbers: TEST_NUMBERS })
  const settings = { account: { balanceMicros: 5 } } as Parameters<typeof ensureDefaultAccount>[1]
  const secrets = { user: 'pincall', password: 'a password', apiKey: 'k'.repeat(40), masterKeys: [], made: [] }
  const broken: Store = { ...store, createKey: () => Promise.reject(new Error('no')) }
  await assert.rejects(ensureDefaultAccount(broken, settings, secrets, 1), /no/)
  await store.close()
})
