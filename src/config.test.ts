import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readConfig } from './config.ts'
import { completeSecrets } from './key-files.ts'
import { systemRandom } from './random.ts'

const folder = mkdtempSync(join(tmpdir(), 'pincall-config-'))
let files = 0

function withFile(text: string, env: Record<string, string> = {}) {
  const path = join(folder, `pincall-${files++}.yaml`)
  writeFileSync(path, text)
  return () => readConfig({ PINCALL_CONFIG: path, ...env })
}

const TRUNK = 'trunks:\n  - name: carrier\n    host: 192.0.2.1\nsip: { advertisedHost: 192.0.2.9 }\n'

test('with nothing set, everything has a default and the sandbox is on', () => {
  const { settings, secrets } = readConfig({})
  assert.deepEqual(settings.http, { host: '127.0.0.1', port: 8020 })
  assert.equal(settings.dataDir, './data')
  assert.equal(settings.callWaitMs, 25_000)
  assert.equal(settings.sandbox.on, true)
  assert.deepEqual(secrets, {})
})

const wrongEnvironments: [env: Record<string, string>, sentence: RegExp][] = [
  [{ PINCALL_HTTP_PORT: 'eighty' }, /^PINCALL_HTTP_PORT wants a whole number from 0 to 65535 and got "eighty"\.$/],
  [{ PINCALL_HTTP_PORT: '70000' }, /PINCALL_HTTP_PORT wants/],
  [{ PINCALL_SANDBOX: 'maybe' }, /^PINCALL_SANDBOX wants on or off and got "maybe"\.$/],
  [{ PINCALL_CALL_WAIT_S: '-1' }, /PINCALL_CALL_WAIT_S wants/],
  [{ PINCALL_API_KEY: 'short' }, /PINCALL_API_KEY wants 16 to 200 printable characters/],
  [{ PINCALL_SECRET_KEY: 'abc' }, /PINCALL_SECRET_KEY wants 64 hex digits/],
  [{ PINCALL_ACCOUNT_PASSWORD: 'x' }, /PINCALL_ACCOUNT_PASSWORD wants at least 8/],
  [{ PINCALL_ACCOUNT_USER: 'a:b' }, /PINCALL_ACCOUNT_USER wants/],
  [{ PINCALL_LOG_LEVEL: 'loud' }, /PINCALL_LOG_LEVEL wants one of/],
  [{ PINCALL_HTTP_PROT: '1' }, /^PINCALL_HTTP_PROT is not a setting of Pincall/],
  [
    { PINCALL_DATABASE_URL: 'mysql://a:b@c/d' },
    /^PINCALL_DATABASE_URL wants postgres:\/\/user:password@host:5432\/database/,
  ],
  [{ PINCALL_DATABASE_URL: 'postgres://u:p@host' }, /PINCALL_DATABASE_URL wants/],
  [{ PINCALL_DATABASE_URL: 'postgres://u:p@/db' }, /PINCALL_DATABASE_URL wants/],
  [{ PINCALL_DATABASE_URL: 'postgres://u:p@h1:5432,/db' }, /PINCALL_DATABASE_URL wants/],
  [{ PINCALL_CONFIG: '/nowhere/pincall.yaml' }, /can not be read \(ENOENT\)/],
]
for (const [env, sentence] of wrongEnvironments) {
  test(`${JSON.stringify(env)} is refused with a sentence that says what was wanted`, () => {
    assert.throws(() => readConfig(env), { message: sentence, code: 'configuration' })
  })
}

const wrongFiles: [text: string, sentence: RegExp][] = [
  ['trunks:\n  - name: a\n    host: 192.0.2.1\n    port: high\n', /line 4: trunks\[0\]\.port must be integer\.$/],
  [
    'trunks:\n  - name: a\n    host: 192.0.2.1\n    prot: 5060\n',
    /trunks\[0\]\.prot is not a setting: remove it or correct its name/,
  ],
  [
    'routes:\n  - prefix: "+41"\n    trunks: [a]\n    caller: "41440000000"\n',
    /line 2: routes\[0\]\.prefix wants leading digits without plus/,
  ],
  [
    `${TRUNK}routes:\n  - prefix: ""\n    trunks: [other]\n    caller: "41440000000"\n`,
    /routes\[0\]\.trunks names other, which is no trunk: known are carrier/,
  ],
  ['trunks:\n  - name: carrier\n    host: 192.0.2.1\n', /sip\.advertisedHost is needed/],
  [`${TRUNK}  - x\n`, /line \d+/],
  ['limits: { resendsPerApplication: often }\n', /limits\.resendsPerApplication wants so many in so long/],
  ['account: { balance: 10 }\n', /account\.balance/],
  ['retention: { days: -1 }\n', /retention\.days wants whole days, 0 for ever/],
  ['retention: { accounts: { shop: 3 } }\n', /retention\.accounts\.shop is not a setting/],
  ['database: { url: "postgres://h/d" }\n', /database\.url is not a setting/],
  ['a: [', /pincall-\d+\.yaml/],
]
for (const [text, sentence] of wrongFiles) {
  test(`a file with ${JSON.stringify(text.slice(-40))} is refused by line and path`, () => {
    assert.throws(withFile(text), { message: sentence, code: 'configuration' })
  })
}

test('a database may have several hosts; without one there is a file in the data directory', () => {
  assert.deepEqual(readConfig({}).settings.database, { poolSize: 10 })
  for (const url of [
    'postgres://u:p@localhost/pincall',
    'postgresql://u:p%40ss@db1:5432,db2:5433,[::1]:5434/pincall?sslmode=require',
    'postgres://10.0.0.1/pincall',
  ]) {
    assert.equal(readConfig({ PINCALL_DATABASE_URL: url }).settings.database.url, url)
  }
  assert.equal(withFile('database: { poolSize: 25 }\n')().settings.database.poolSize, 25)
})

test('what is wrong with a database’s URL is told without it: it holds a password', () => {
  for (const url of ['postgres://u:hush-hush@h', 'hush-hush', 'postgres://u:hush-hush@h:port/d']) {
    assert.throws(
      () => readConfig({ PINCALL_DATABASE_URL: url }),
      ({ message }: Error) => !message.includes('hush'),
    )
  }
})

test('what is over is kept for 90 days where nothing else is said, for some accounts as they are told', () => {
  assert.deepEqual(readConfig({}).settings.retention, { days: 90, accounts: {} })
  const account = '00000000000000000000000000000001'
  assert.deepEqual(withFile(`retention: { days: 0, accounts: { "${account}": 7 } }\n`)().settings.retention, {
    days: 0,
    accounts: { [account]: 7 },
  })
})

test('the sandbox does not start beside real trunks unless it is asked to', () => {
  assert.equal(withFile(TRUNK)().settings.sandbox.on, false)
  assert.throws(withFile(TRUNK, { PINCALL_SANDBOX: 'on' }), /on beside real trunks/)
  assert.equal(
    withFile(`${TRUNK}sandbox: { besideTrunks: true }\n`, { PINCALL_SANDBOX: 'on' })().settings.sandbox.on,
    true,
  )
})

test('secrets are made once, readable by the owner only, and the same at the next start', () => {
  const dataDir = join(folder, 'data')
  const first = completeSecrets({}, dataDir, true, systemRandom)
  assert.equal(first.made.length, 3)
  for (const file of first.made) assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.match(first.apiKey, /^[0-9a-f]{32}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  const second = completeSecrets({}, dataDir, true, systemRandom)
  assert.deepEqual({ ...second, made: [] }, { ...first, made: [] })
  assert.deepEqual(second.made, [])
})

test('with real trunks the API key and the password must be given, and are not written anywhere', () => {
  const dataDir = join(folder, 'real')
  assert.throws(
    () => completeSecrets({}, dataDir, false, systemRandom),
    /PINCALL_API_KEY is needed while the sandbox is off/,
  )
  const given = { apiKey: 'k'.repeat(40), password: 'long enough' }
  assert.deepEqual(completeSecrets(given, dataDir, false, systemRandom).made, [])
  assert.match(readFileSync(join(dataDir, 'secret.key'), 'utf8'), /^[0-9a-f]{64}\n$/)
})

test('several master keys: the first makes codes, the others still read them', () => {
  const given = { masterKey: `new:${'a'.repeat(64)},old:${'b'.repeat(64)}` }
  const { masterKeys } = completeSecrets(given, join(folder, 'rotated'), true, systemRandom)
  assert.deepEqual(
    masterKeys.map(({ id }) => id),
    ['new', 'old'],
  )
})

test('a damaged key file stops the start instead of making other codes', () => {
  const dataDir = join(folder, 'damaged')
  completeSecrets({}, dataDir, true, systemRandom)
  writeFileSync(join(dataDir, 'secret.key'), 'not hex\n')
  assert.throws(() => completeSecrets({}, dataDir, true, systemRandom), /secret\.key wants 64 hex digits/)
})
