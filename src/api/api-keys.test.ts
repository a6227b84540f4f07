import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { hashPassword, hashSecret } from './index.ts'
import { ACCOUNT, application, OTHER, openWire, type Wired } from './testbed.ts'

const APPLICATIONS = '/2fa/2/applications'
const verbs = {
  applications: async () => [application()],
  checkPin: async () => ({ pinId: 'P', to: '41793026727', verified: true, checksLeft: 0 }),
}
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

describe('keys are made', () => {
  let wired: Wired
  const authorization = basic('anna', 'password')
  before(async () => {
    wired = await openWire(verbs)
    await wired.store.putLogin({ accountId: ACCOUNT, user: 'anna', passwordHash: await hashPassword('password') })
  })
  after(() => wired[Symbol.asyncDispose]())
  const make = (path: string, body?: object) => wired.call('POST', path, body, { authorization })
  const opens = async (secret: string) => {
    const headers = { authorization: `App ${secret}` }
    const configures = await wired.call('GET', APPLICATIONS, undefined, headers)
    return [configures.status, (await wired.call('POST', '/2fa/1/pin/P/verify', { pin: '1' }, headers)).status]
  }
  const KEY = /^[0-9a-f]{32}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

  test('as in 2015: no body, and the secret as a JSON string', async () => {
    const answer = await wired.call('POST', '/2fa/1/api-key', undefined, {
      authorization,
      'content-type': 'application/json',
    })
    assert.equal(answer.status, 200)
    assert.match(answer.body, KEY)
    assert.equal(answer.text, `"${answer.body}"`)
    assert.match(String(answer.headers['content-type']), /^application\/json/)
    assert.deepEqual(await opens(answer.body), [200, 200])
  })

  test('as in 2018: permissions', async () => {
    const answer = await make('/settings/1/accounts/_/api-keys', {
      name: 'app',
      permissions: ['TFA'],
      validFrom: '2015-02-22T17:42:05.390+0100',
    })
    assert.equal(answer.status, 201)
    const { key, publicApiKey, ...rest } = answer.body
    assert.match(publicApiKey, KEY)
    assert.match(key, /^[0-9A-F]{32}$/)
    assert.deepEqual(rest, {
      name: 'app',
      accountKey: ACCOUNT,
      validFrom: '2015-02-22T16:42:05.390Z',
      permissions: ['TFA'],
      enabled: true,
    })
    assert.deepEqual(await opens(publicApiKey), [403, 200])
    const all = await make(`/settings/1/accounts/${ACCOUNT}/api-keys`, { name: 'all' })
    assert.deepEqual(await opens(all.body.publicApiKey), [200, 200])
    assert.equal((await make(`/settings/1/accounts/${OTHER}/api-keys`, { name: 'all' })).status, 404)
  })

  test('as today: scopes', async () => {
    const validTo = '2099-01-01T00:00:00Z'
    const body = { name: 'app', scopeGuids: ['2fa:pin:send', 'sms:send'], allowedIPs: ['127.0.0.1'], validTo }
    const answer = await make('/settings/2/api-keys', { accountId: ACCOUNT, ...body })
    assert.equal(answer.status, 200)
    const { id, apiKeySecret, ...rest } = answer.body
    assert.match(id, /^[0-9A-F]{32}$/)
    assert.deepEqual(Object.keys(answer.body), [
      'id',
      'apiKeySecret',
      'accountId',
      'name',
      'allowedIPs',
      'validTo',
      'enabled',
      'permissions',
      'scopeGuids',
    ])
    assert.deepEqual(rest, {
      accountId: ACCOUNT,
      ...body,
      validTo: '2099-01-01T00:00:00.000Z',
      enabled: true,
      permissions: ['PUBLIC_API'],
    })
    assert.deepEqual(await opens(apiKeySecret), [403, 200])
  })

  test('the store has the hash of a secret and not the secret', async () => {
    const { apiKeySecret, id } = (await make('/settings/2/api-keys', { name: 'hashed' })).body
    const kept = (await wired.store.listKeys(ACCOUNT)).find((key) => key.keyId === id)
    assert.equal(kept?.secretHash, hashSecret(apiKeySecret))
    assert.ok(!JSON.stringify(kept).includes(apiKeySecret))
  })

  test('a key makes no keys: it could outlive itself', async () => {
    for (const path of ['/2fa/1/api-key', '/settings/1/accounts/_/api-keys', '/settings/2/api-keys']) {
      assert.equal((await wired.call('POST', path, { name: 'x' })).status, 403, path)
    }
  })

  test('wishes that make no sense are refused with their field', async () => {
    const table: [object, string][] = [
      [{}, 'name'],
      [{ name: '' }, 'name'],
      [{ name: 'x', allowedIPs: ['everywhere'] }, 'allowedIPs'],
      [{ name: 'x', allowedIPs: '10.0.0.1' }, 'allowedIPs'],
      [{ name: 'x', validTo: 'tomorrow' }, 'validTo'],
      [{ name: 'x', validTo: '2001-01-01T00:00:00Z' }, 'validTo'],
      [{ name: 'x', validFrom: '2090-01-01T00:00:00Z', validTo: '2089-01-01T00:00:00Z' }, 'validTo'],
      [{ name: 'x', validFrom: 1e300 }, 'validFrom'],
      [{ name: 'x', validTo: 9e15 }, 'validTo'],
      [{ name: 'x', scopeGuids: ['2fa:mange'] }, 'scopeGuids'],
      [{ name: 'x', accountId: OTHER }, 'accountId'],
    ]
    for (const [body, field] of table) {
      const answer = await make('/settings/2/api-keys', body)
      assert.equal(answer.status, 400, JSON.stringify(body))
      assert.deepEqual(Object.keys(answer.body.requestError.serviceException.validationErrors), [field])
    }
    assert.equal((await make('/settings/1/accounts/_/api-keys', { name: 'x', permissions: ['SOME'] })).status, 400)
  })
})
