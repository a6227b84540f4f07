import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ManualClock } from '../clock.ts'
import { seededRandom } from '../random.ts'
import { hashPassword, hashSecret, verifyPassword } from './index.ts'
import { makeLogins } from './logins.ts'
import { ACCOUNT, application, KEYS, OTHER, openWire, refused, type Wired } from './testbed.ts'

const APPLICATIONS = '/2fa/2/applications'
const DENIED = refused('UNAUTHORIZED', 'Invalid login details')
const verbs = {
  applications: async () => [application()],
  checkPin: async () => ({ pinId: 'P', to: '41793026727', verified: true, checksLeft: 0 }),
}
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
const PASSWORD = 'correct horse: battery'

describe('who may come in', () => {
  let wired: Wired
  let passwordHash: string
  before(async () => {
    wired = await openWire(verbs)
    passwordHash = await hashPassword(PASSWORD)
    await wired.store.putLogin({ accountId: ACCOUNT, user: 'anna', passwordHash })
  })
  after(() => wired[Symbol.asyncDispose]())

  const knock = (authorization: string, path = APPLICATIONS) => wired.call('GET', path, undefined, { authorization })

  test('the same account is reached by key, password, session and token, and only it', async () => {
    const session = await wired.call(
      'POST',
      '/auth/1/session',
      { username: 'anna', password: PASSWORD, unsafe: false },
      { authorization: '' },
    )
    assert.deepEqual([session.status, Object.keys(session.body)], [200, ['token']])
    assert.match(session.body.token, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    const form = `client_id=anna&client_secret=${encodeURIComponent(PASSWORD)}&grant_type=client_credentials`
    const token = await wired.call('POST', '/auth/1/oauth2/token', form, {
      authorization: '',
      'content-type': 'application/x-www-form-urlencoded',
    })
    assert.deepEqual(Object.keys(token.body), ['access_token', 'expires_in', 'token_type'])
    assert.deepEqual(
      [token.body.expires_in, token.body.token_type, token.headers['cache-control']],
      [3600, 'Bearer', 'no-store'],
    )
    const schemes = [
      `App ${KEYS.manage}`,
      `app ${KEYS.manage}`,
      `  App   ${KEYS.manage} `,
      KEYS.manage,
      basic('anna', PASSWORD),
      `IBSSO ${session.body.token}`,
      `Bearer ${token.body.access_token}`,
    ]
    for (const scheme of schemes) {
      for (const version of [1, 2]) {
        wired.asked.length = 0
        const answer = await knock(scheme, `/2fa/${version}/applications`)
        assert.equal(answer.status, 200, scheme)
        assert.deepEqual(wired.asked, [['applications', ACCOUNT]])
      }
    }
    wired.asked.length = 0
    await knock(`App ${KEYS.other}`)
    assert.deepEqual(wired.asked, [['applications', OTHER]])
  })

  test('everybody else gets 401, in the one shape, on both versions', async () => {
    const strangers = [
      '',
      'App',
      'App ',
      'App wrong',
      `Basic ${KEYS.manage}`,
      `Bearer ${KEYS.manage}`,
      `IBSSO ${KEYS.manage}`,
      `Digest ${KEYS.manage}`,
      `App ${KEYS.manage} more`,
      basic('anna', 'wrong'),
      basic('anna', ''),
      basic('nobody', PASSWORD),
      basic('', ''),
      'Basic %%%',
      `App ${hashSecret(KEYS.manage)}`,
    ]
    for (const stranger of strangers) {
      for (const version of [1, 2]) {
        const answer = await knock(stranger, `/2fa/${version}/applications`)
        assert.deepEqual([answer.status, answer.body], [401, DENIED], stranger)
      }
    }
  })

  test('a session slides while it is used and ends after an hour without; deleting it ends it at once', async () => {
    const login = { username: 'anna', password: PASSWORD }
    const { token } = (await wired.call('POST', '/auth/1/session', login)).body
    for (let i = 0; i < 3; i++) {
      await wired.clock.advance(50 * 60_000)
      assert.equal((await knock(`IBSSO ${token}`)).status, 200)
    }
    const ended = await wired.call('DELETE', '/auth/1/session', undefined, { authorization: `IBSSO ${token}` })
    assert.deepEqual([ended.status, ended.text], [200, ''])
    assert.equal((await knock(`IBSSO ${token}`)).status, 401)
    for (const authorization of [`IBSSO ${token}`, `App ${KEYS.manage}`, '']) {
      const again = await wired.call('DELETE', '/auth/1/session', undefined, { authorization })
      assert.deepEqual([again.status, again.body], [401, DENIED])
    }
    const second = (await wired.call('POST', '/auth/1/session', login)).body.token
    await wired.clock.advance(60 * 60_000)
    assert.equal((await knock(`IBSSO ${second}`)).status, 401)
  })

  test('an OAuth token is asked for by form, JSON, query or Basic header, and lasts an hour', async () => {
    const secret = encodeURIComponent(PASSWORD)
    const asJson = { client_id: 'anna', client_secret: PASSWORD, grant_type: 'client_credentials' }
    const answers = [
      await wired.call('POST', '/auth/1/oauth2/token', asJson, { authorization: '' }),
      await wired.call(
        'POST',
        `/auth/1/oauth2/token?client_id=anna&client_secret=${secret}&grant_type=client_credentials`,
        {},
        { authorization: '' },
      ),
      await wired.call('POST', '/auth/1/oauth2/token', 'grant_type=client_credentials', {
        authorization: basic('anna', PASSWORD),
        'content-type': 'application/x-www-form-urlencoded',
      }),
    ]
    for (const answer of answers) assert.equal(answer.status, 200, answer.text)
    const { access_token } = answers[0].body
    await wired.clock.advance(3_599_000)
    assert.equal((await knock(`Bearer ${access_token}`)).status, 200)
    await wired.clock.advance(1000)
    assert.equal((await knock(`Bearer ${access_token}`)).status, 401)
  })

  test('a token that is asked for wrongly is refused in words', async () => {
    const none = await wired.call('POST', '/auth/1/oauth2/token', undefined, { authorization: '' })
    assert.deepEqual(
      [none.status, none.body.requestError.serviceException.validationErrors],
      [400, { grant_type: ['must be client_credentials'], client_id: ['is required'], client_secret: ['is required'] }],
    )
    const wrong = { client_id: 'anna', client_secret: 'no', grant_type: 'client_credentials' }
    const denied = await wired.call('POST', '/auth/1/oauth2/token', wrong, { authorization: '' })
    assert.deepEqual([denied.status, denied.body], [401, DENIED])
    const empty = await wired.call('POST', '/auth/1/session', {}, { authorization: '' })
    assert.deepEqual(Object.keys(empty.body.requestError.serviceException.validationErrors), ['username', 'password'])
  })

  test('a changed password counts at once', async () => {
    await wired.store.putLogin({ accountId: ACCOUNT, user: 'carl', passwordHash: await hashPassword('before') })
    assert.equal((await knock(basic('carl', 'before'))).status, 200)
    await wired.store.putLogin({ accountId: ACCOUNT, user: 'carl', passwordHash: await hashPassword('after') })
    assert.equal((await knock(basic('carl', 'before'))).status, 401)
    assert.equal((await knock(basic('carl', 'after'))).status, 200)
  })
})

describe('passwords are costly to check', () => {
  /** Logins over a check that says when it is asked, and waits to be let on. */
  function slowLogins(turns?: { atOnce: number; waiting: number }) {
    const checks: (() => void)[] = []
    const verify = (password: string) =>
      new Promise<boolean>((resolve) => checks.push(() => resolve(password === 'right')))
    const findLogin = async (user: string) =>
      user === 'anna' ? { accountId: ACCOUNT, user, passwordHash: 'h' } : undefined
    const deps = { clock: new ManualClock(), random: seededRandom('logins'), store: { findLogin } }
    return { ...makeLogins(deps, { verify, ...(turns && { turns }) }), checks, clock: deps.clock }
  }
  const settled = () => new Promise((resolve) => setImmediate(resolve))

  test('many requests with one login are one check, and for ten minutes none', async () => {
    const logins = slowLogins()
    const many = Array.from({ length: 40 }, () => logins.accountOf('anna', 'right'))
    await settled()
    assert.equal(logins.checks.length, 1)
    logins.checks[0]()
    assert.deepEqual(new Set(await Promise.all(many)), new Set([ACCOUNT]))
    await logins.clock.advance(10 * 60_000 - 1)
    await logins.accountOf('anna', 'right')
    assert.equal(logins.checks.length, 1)
    await logins.clock.advance(1)
    void logins.accountOf('anna', 'right')
    await settled()
    assert.equal(logins.checks.length, 2)
  })

  test('a flood of guesses waits its turn, and is sent away with 503 once too many wait', async () => {
    const logins = slowLogins({ atOnce: 1, waiting: 2 })
    const guesses = ['a', 'b', 'c', 'd', 'e'].map((guess) =>
      logins.accountOf('nobody', guess).catch((error) => error.code),
    )
    assert.deepEqual(await Promise.all(guesses.slice(3)), ['unavailable', 'unavailable'])
    for (const turn of [0, 1, 2]) {
      assert.equal(logins.checks.length, turn + 1, 'one at a time')
      logins.checks[turn]()
      assert.equal(await guesses[turn], 'unauthenticated', 'an unknown user is checked like a known one')
      await settled()
    }
    void logins.accountOf('anna', 'right')
    await settled()
    assert.equal(logins.checks.length, 4, 'the turns are free again')
  })
})

test('a password is salted, and its hash tells how it was made', async () => {
  const [one, two] = await Promise.all([hashPassword('päss'), hashPassword('päss')])
  assert.match(one, /^scrypt\$16384\$8\$5\$/)
  assert.notEqual(one, two)
  assert.ok(await verifyPassword('päss', one))
  assert.ok(await verifyPassword('pa\u0308ss', one), 'however the keyboard composes it')
  assert.ok(!(await verifyPassword('pass', one)))
  assert.ok(!(await verifyPassword('päss', 'plain')))
})

describe('what a key opens', () => {
  const pinPath = '/2fa/2/pin/P/verify'

  test('a key for PINs verifies and does not configure; one of other products does neither', async () => {
    await using wired = await openWire(verbs)
    const table: [keyof typeof KEYS, configures: number, verifies: number][] = [
      ['manage', 200, 200],
      ['send', 403, 200],
      ['tfa', 403, 200],
      ['nothing', 403, 403],
    ]
    for (const [name, configures, verifies] of table) {
      const headers = { authorization: `App ${KEYS[name]}` }
      assert.equal((await wired.call('GET', APPLICATIONS, undefined, headers)).status, configures, name)
      assert.equal((await wired.call('POST', pinPath, { pin: '1' }, headers)).status, verifies, name)
    }
  })

  test('a missing scope is told in the words of the version', async () => {
    await using wired = await openWire(verbs)
    const headers = { authorization: `App ${KEYS.send}` }
    const text = 'Unauthorized access: this API key has not the scope, which is 2fa:manage.'
    assert.deepEqual(
      (await wired.call('GET', '/2fa/2/applications', undefined, headers)).body,
      refused('FORBIDDEN', text),
    )
    const v1 = await wired.call('GET', '/2fa/1/applications', undefined, headers)
    assert.deepEqual([v1.status, v1.body], [403, refused('UNAUTHORIZED', text)])
  })

  test('a key works in its time, from its addresses, while it is on', async () => {
    await using wired = await openWire(verbs)
    const now = wired.clock.now()
    const put = async (name: string, change: object) => {
      const secret = `${name}-secret-000000000`
      const base = {
        keyId: name,
        accountId: ACCOUNT,
        name,
        secretHash: hashSecret(secret),
        enabled: true,
        scopes: ['2fa:manage'],
      }
      await wired.store.createKey({ ...base, permissions: [], allowedIps: [], createdAt: 1, ...change })
      return secret
    }
    const table: [string, object, number][] = [
      ['off', { enabled: false }, 401],
      ['future', { validFrom: now + 1 }, 401],
      ['past', { validTo: now }, 401],
      ['lasting', { validFrom: now, validTo: now + 1 }, 200],
      ['here', { allowedIps: ['10.0.0.0/8', '127.0.0.1'] }, 200],
      ['elsewhere', { allowedIps: ['10.0.0.0/8'] }, 401],
    ]
    for (const [name, change, status] of table) {
      const authorization = `App ${await put(name, change)}`
      assert.equal((await wired.call('GET', APPLICATIONS, undefined, { authorization })).status, status, name)
    }
    const forwarded = { authorization: 'App elsewhere-secret-000000000', 'x-forwarded-for': '10.0.0.1' }
    assert.equal(
      (await wired.call('GET', APPLICATIONS, undefined, forwarded)).status,
      401,
      'anybody can write that header',
    )
  })

  test('behind a trusted proxy the address is the one that it tells', async () => {
    await using wired = await openWire(verbs, { trustedProxies: ['127.0.0.1'] })
    await wired.store.createKey({
      keyId: 'K',
      accountId: ACCOUNT,
      name: 'k',
      secretHash: hashSecret('elsewhere'),
      enabled: true,
      scopes: ['2fa:manage'],
      permissions: [],
      allowedIps: ['10.0.0.1'],
      createdAt: 1,
    })
    const headers = { authorization: 'App elsewhere', 'x-forwarded-for': '10.0.0.1' }
    assert.equal((await wired.call('GET', APPLICATIONS, undefined, headers)).status, 200)
  })

  test('a key that is turned off works for five seconds more, and no longer', async () => {
    await using wired = await openWire(verbs)
    assert.equal((await wired.call('GET', APPLICATIONS)).status, 200)
    await wired.store.setKeyEnabled(ACCOUNT, 'MANAGE', false)
    await wired.clock.advance(4999)
    assert.equal((await wired.call('GET', APPLICATIONS)).status, 200)
    await wired.clock.advance(1)
    assert.equal((await wired.call('GET', APPLICATIONS)).status, 401)
  })
})
