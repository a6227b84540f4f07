import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Absent, absentDatabase } from '../../test/testbed/absent-database.ts'
import { PincallError } from '../errors.ts'
import { makeEvents } from '../events/index.ts'
import { seededRandom } from '../random.ts'
import { makeRouting } from '../routing/index.ts'
import { codeKeys, makeVerification } from '../verification/index.ts'
import { hashPassword } from './passwords.ts'
import { ACCOUNT, application, openWire, owed, template, type Wired } from './testbed.ts'
import type { Version } from './types.ts'

/** The wire over the real verbs, whose database can be taken away. */
async function opened(): Promise<{ wired: Wired; database: Absent }> {
  let database: Absent | undefined
  const wired = await openWire({}, (basis) => {
    const trunk = { name: 't', host: '192.0.2.1', port: 5060, numberFormat: 'plus', codecs: [] } as never
    const rule = { prefix: '', trunks: ['t'], pricePerMinute: 0, incrementS: 1, caller: '41440000000' }
    database = absentDatabase(basis.store)
    const { store } = database
    const verification = makeVerification({
      clock: basis.clock,
      random: seededRandom('verbs'),
      store,
      keys: codeKeys([{ id: 'k1', key: Buffer.alloc(32, 1) }]),
      routing: makeRouting([trunk], [rule]),
      resendLimits: { coolDownMs: 0, perPin: 5, perApplication: { count: 100, windowMs: 1000 } },
      longestCallMs: 60_000,
      smsPriceMicros: 0,
      smsAvailable: true,
      accepting: () => true,
      wake: () => {},
    })
    return { store, verification, events: makeEvents(store) }
  })
  await wired.store.createApplication(application())
  await wired.store.createTemplate(template())
  await wired.store.putLogin({ accountId: ACCOUNT, user: 'acme', passwordHash: await hashPassword('a password') })
  return { wired, database: database! }
}

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})
const { applicationId, templateId: messageId } = template()
const PIN = '9C817C6F8AF3D48F9FE553282AFA2B67'
const SEND = { applicationId, messageId, to: '41793026727' }
const TEMPLATE = { pinType: 'NUMERIC', pinLength: 4, messageText: 'Your code is {{pin}}' }

const ROUTES: [method: string, path: string, body?: object][] = [
  ['POST', '/2fa/V/pin', SEND],
  ['POST', '/2fa/V/pin/voice', SEND],
  ['POST', `/2fa/V/pin/${PIN}/resend`],
  ['POST', `/2fa/V/pin/${PIN}/resend/voice`],
  ['POST', `/2fa/V/pin/${PIN}/verify`, { pin: '1234' }],
  ['GET', `/2fa/V/pin/${PIN}/status`],
  ['GET', `/2fa/V/applications/${applicationId}/verifications?msisdn=41793026727`],
  ['POST', '/2fa/V/applications', { name: 'shop' }],
  ['GET', '/2fa/V/applications'],
  ['GET', `/2fa/V/applications/${applicationId}`],
  ['PUT', `/2fa/V/applications/${applicationId}`, { name: 'shop' }],
  ['POST', `/2fa/V/applications/${applicationId}/messages`, TEMPLATE],
  ['GET', `/2fa/V/applications/${applicationId}/messages`],
  ['GET', `/2fa/V/applications/${applicationId}/messages/${messageId}`],
  ['PUT', `/2fa/V/applications/${applicationId}/messages/${messageId}`, TEMPLATE],
]
const OURS: [method: string, path: string][] = [
  ['GET', '/pincall/1/calls/CALL'],
  ['GET', `/pincall/1/pins/${PIN}/calls`],
  ['GET', '/pincall/1/balance'],
  ['GET', '/pincall/1/events'],
]

for (const version of [1, 2] as Version[]) {
  test(`while the database is away every operation of version ${version} is 503 with Retry-After, in the contract’s shape`, async () => {
    const { wired, database } = await opened()
    await using _ended = wired
    assert.equal((await wired.call('GET', `/2fa/${version}/applications`)).status, 200, 'the key is known')
    database.takeAway()
    for (const [method, path, body] of [...ROUTES, ...OURS]) {
      const answer = await wired.call(method, path.replace('/V/', `/${version}/`), body)
      assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '2'], `${method} ${path}: ${answer.text}`)
      const { messageId: name, text, ...more } = answer.body.requestError.serviceException
      assert.deepEqual([name, more], ['SERVICE_UNAVAILABLE', {}])
      assert.match(text, /database/)
    }
    database.bringBack()
    assert.equal((await wired.call('POST', `/2fa/${version}/pin`, SEND)).status, 200)
  })
}

test('who can not be looked up is not told to be nobody: 503 by every scheme, 401 once the database is back', async () => {
  const { wired, database } = await opened()
  await using _ended = wired
  const credentials = [
    { authorization: 'App a-key-that-nobody-has' },
    { authorization: 'Bearer token' },
    { authorization: 'IBSSO token' },
    basic('acme', 'a wrong password'),
    basic('nobody', 'a password'),
  ]
  const statuses = async () =>
    Promise.all(
      credentials.map(async (each) => (await wired.call('GET', '/2fa/2/applications', undefined, each)).status),
    )
  database.takeAway()
  assert.deepEqual(await statuses(), [503, 503, 503, 503, 503])
  database.bringBack()
  assert.deepEqual(await statuses(), [401, 401, 401, 401, 401])
})

test('making keys, sessions and tokens is 503 while the database is away', async () => {
  const { wired, database } = await opened()
  await using _ended = wired
  const login = { username: 'acme', password: 'a password' }
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const grant = 'client_id=acme&client_secret=a%20password&grant_type=client_credentials'
  const ask = async () => [
    (await wired.call('POST', '/auth/1/session', login)).status,
    (await wired.call('POST', '/auth/1/oauth2/token', grant, form)).status,
    (await wired.call('POST', '/settings/2/api-keys', { name: 'k' }, basic('acme', 'a password'))).status,
  ]
  database.takeAway()
  assert.deepEqual(await ask(), [503, 503, 503])
  database.bringBack()
  assert.deepEqual(await ask(), [200, 200, 200])
  database.takeAway('createKey', 'createSession')
  assert.deepEqual(await ask(), [503, 503, 503])
})

for (const { what, joined, status } of [
  { what: 'a call that was just owed is on its way', joined: false, status: 200 },
  { what: 'of a call that was joined nothing true can be said', joined: true, status: 503 },
]) {
  test(`where the outcome can not be read, ${what}: ${status}`, async () => {
    await using wired = await openWire({
      resendPin: async () => ({ ...owed, joined }),
      outcomeOf: async () => {
        throw new PincallError('unavailable', 'The database can not be used at the moment.')
      },
    })
    const answer = await wired.call('POST', `/2fa/1/pin/${PIN}/resend/voice`)
    assert.equal(answer.status, status)
    if (status === 200) assert.equal(answer.body.callStatus, 'PROCESSING')
  })
}
