import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ApiKey, Store } from '../../src/store/types.ts'
import { type Engine, MINUTE, newId, START } from './world.ts'

export function accessContract(engine: Engine): void {
  describe('accounts and access', () => {
    let store: Store
    before(async () => {
      store = await engine.open(await engine.freshPlace())
    })
    after(() => store.close())

    const account = async () => {
      const accountId = newId('account')
      await store.ensureAccount({ accountId, name: 'Acme', createdAt: START }, 500)
      return accountId
    }
    const keyOf = (accountId: string, change: Partial<ApiKey> = {}): ApiKey => ({
      keyId: newId('key'),
      accountId,
      name: 'backend',
      secretHash: newId('hash'),
      enabled: true,
      scopes: ['2fa:manage'],
      permissions: ['ALL'],
      allowedIps: [],
      createdAt: START,
      ...change,
    })

    test('an account that is there keeps its balance when it is ensured again', async () => {
      const accountId = await account()
      await store.ensureAccount({ accountId, name: 'Other', createdAt: START + 1 }, 9_000)
      assert.deepEqual(await store.balance(accountId), { balanceMicros: 500, reservedMicros: 0 })
      assert.equal(await store.ledgerDrift(), 0)
    })

    test('every account is listed', async () => {
      const made = [account, account].map(async (make) => ({ accountId: await make(), name: 'Acme', createdAt: START }))
      const [first, second] = await Promise.all(made)
      const listed = await store.listAccounts()
      for (const each of [first, second]) {
        assert.deepEqual(
          listed.filter(({ accountId }) => accountId === each?.accountId),
          [each],
        )
      }
    })

    test('a database that answers is no trouble, and its clock goes', () => {
      assert.equal(store.trouble(), undefined)
      assert.ok(Math.abs(store.clock.now() - Date.now()) < MINUTE)
    })

    test('a top-up raises the balance; an account that is not there is an error', async () => {
      const accountId = await account()
      await store.topUp(accountId, 250, 'card', START)
      assert.equal((await store.balance(accountId)).balanceMicros, 750)
      await assert.rejects(store.topUp('nobody', 1, 'card', START), { code: 'not_found' })
      await assert.rejects(store.balance('nobody'), { code: 'not_found' })
      assert.equal(await store.ledgerDrift(), 0)
    })

    test('half a micro is not money', async () => {
      const accountId = await account()
      await assert.rejects(store.topUp(accountId, 0.5, 'card', START))
      assert.equal((await store.balance(accountId)).balanceMicros, 500)
      assert.equal(await store.ledgerDrift(), 0)
    })

    test('a login is found by its user name and replaced by a second of the same name', async () => {
      const accountId = await account()
      const login = { accountId, user: newId('user'), passwordHash: 'one' }
      await store.putLogin(login)
      assert.deepEqual(await store.findLogin(login.user), login)
      await store.putLogin({ ...login, passwordHash: 'two' })
      assert.equal((await store.findLogin(login.user))?.passwordHash, 'two')
      assert.equal(await store.findLogin('nobody'), undefined)
    })

    test('a key comes back as it was made, with and without its optional fields', async () => {
      const accountId = await account()
      const plain = keyOf(accountId)
      const full = keyOf(accountId, {
        validFrom: START,
        validTo: START + 1,
        allowedIps: ['10.0.0.1'],
        createdAt: START + 1,
      })
      await store.createKey(full)
      await store.createKey(plain)
      assert.deepEqual(await store.findKey(plain.secretHash), plain)
      assert.deepEqual(await store.findKey(full.secretHash), full)
      assert.equal(await store.findKey('unknown'), undefined)
      assert.deepEqual(await store.listKeys(accountId), [plain, full])
      assert.deepEqual(await store.listKeys(await account()), [])
    })

    test('two keys never share a secret', async () => {
      const accountId = await account()
      const key = keyOf(accountId)
      await store.createKey(key)
      await assert.rejects(store.createKey(keyOf(accountId, { secretHash: key.secretHash })))
      assert.equal((await store.listKeys(accountId)).length, 1)
    })

    test('a key is turned off and on by its own account only', async () => {
      const accountId = await account()
      const key = keyOf(accountId)
      await store.createKey(key)
      assert.equal(await store.setKeyEnabled(await account(), key.keyId, false), false)
      assert.equal((await store.findKey(key.secretHash))?.enabled, true)
      assert.equal(await store.setKeyEnabled(accountId, key.keyId, false), true)
      assert.equal((await store.findKey(key.secretHash))?.enabled, false)
      assert.equal(await store.setKeyEnabled(accountId, 'unknown', true), false)
    })

    test('a session slides with each use and ends when it is left alone', async () => {
      const accountId = await account()
      const tokenHash = newId('token')
      const session = { tokenHash, accountId, kind: 'session' as const, expiresAt: START + MINUTE, slidesMs: MINUTE }
      await store.createSession(session)
      const used = await store.useSession(tokenHash, START + 50_000)
      assert.deepEqual(used, { ...session, expiresAt: START + 50_000 + MINUTE })
      assert.equal((await store.useSession(tokenHash, START + 100_000))?.expiresAt, START + 100_000 + MINUTE)
      assert.equal(await store.useSession(tokenHash, START + 100_000 + MINUTE), undefined)
      assert.equal(await store.deleteSession(tokenHash), false, 'an ended session is removed')
    })

    test('an OAuth token ends when it was said to, however often it is used', async () => {
      const accountId = await account()
      const token = { tokenHash: newId('token'), accountId, kind: 'oauth' as const, expiresAt: START + MINUTE }
      await store.createSession(token)
      assert.deepEqual(await store.useSession(token.tokenHash, START + 59_999), token)
      assert.equal(await store.useSession(token.tokenHash, START + MINUTE), undefined)
    })

    test('a session that was ended by its user is gone', async () => {
      const accountId = await account()
      const tokenHash = newId('token')
      await store.createSession({ tokenHash, accountId, kind: 'session', expiresAt: START + MINUTE, slidesMs: MINUTE })
      assert.equal(await store.deleteSession(tokenHash), true)
      assert.equal(await store.useSession(tokenHash, START), undefined)
      assert.equal(await store.useSession('unknown', START), undefined)
    })

    test('of many values remembered at once under one name, all are told the same one', async () => {
      const name = newId('name')
      const told = await Promise.all(['a', 'b', 'c'].map((value) => store.rememberOnce(name, value)))
      const [first] = told
      assert.ok(['a', 'b', 'c'].includes(first!))
      assert.deepEqual(told, [first, first, first])
      assert.equal(await store.rememberOnce(name, 'd'), first)
    })
  })
}
