import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ManualClock, systemClock } from '../../clock.ts'
import { readConfig } from '../../config.ts'
import { silentLog } from '../../log.ts'
import { openStore, sealedNumbers } from '../../store/index.ts'
import { checkClock, checkDatabase } from './database.ts'
import { checkDataDir, checkKeyFiles } from './files.ts'
import { checkHttpPort, checkMediaPorts, checkSipPort } from './ports.ts'
import type { Finding, Patient } from './types.ts'

async function patient(t: TestContext, env: NodeJS.ProcessEnv = {}, config?: object): Promise<Patient> {
  const dir = await mkdtemp(join(tmpdir(), 'pincall-doctor-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const file = join(dir, 'pincall.yaml')
  if (config) await writeFile(file, JSON.stringify(config))
  const full = { PINCALL_DATA_DIR: join(dir, 'data'), ...(config && { PINCALL_CONFIG: file }), ...env }
  const { settings } = readConfig(full)
  return { env: full, settings, running: undefined, databasePath: join(settings.dataDir, 'pincall.db') }
}

const levels = (findings: Finding[]) => Object.fromEntries(findings.map(({ check, level }) => [check, level]))

async function started(t: TestContext, env: NodeJS.ProcessEnv = {}, config?: object): Promise<Patient> {
  const made = await patient(t, env, config)
  await mkdir(made.settings.dataDir, { mode: 0o700 })
  const numbers = sealedNumbers([{ id: 'k1', key: Buffer.alloc(32, 7) }])
  const { dataDir } = made.settings
  await (await openStore({ dataDir, numbers, clock: systemClock, log: silentLog })).close()
  return made
}

test('before the first start nothing is wrong: what is missing will be made', async (t) => {
  const fresh = await patient(t)
  const clock = new ManualClock(Date.parse('2026-12-01'))
  const findings = [
    ...(await checkDataDir(fresh)),
    ...(await checkKeyFiles(fresh)),
    ...(await checkDatabase(fresh)),
    ...(await checkClock(fresh, clock)),
  ]
  assert.deepEqual(new Set(findings.map(({ level }) => level)), new Set(['ok']))
  assert.ok(findings.some(({ saw }) => /will be made/.test(saw)))
})

test('a data directory that is a file fails, one that is open to all is warned of', async (t) => {
  const file = await patient(t)
  await writeFile(file.settings.dataDir, '')
  assert.deepEqual(levels(await checkDataDir(file)), { 'data directory': 'fail' })
  const open = await patient(t)
  await mkdir(open.settings.dataDir)
  await chmod(open.settings.dataDir, 0o755)
  const [finding] = await checkDataDir(open)
  assert.equal(finding.level, 'warn')
  assert.match(finding.todo!, /^Close it: chmod 700 /)
})

test('a key file that others can read fails, and the report says how to close it', async (t) => {
  const made = await started(t)
  const path = join(made.settings.dataDir, 'secret.key')
  await writeFile(path, 'x')
  await chmod(path, 0o640)
  const [finding] = await checkKeyFiles(made)
  assert.equal(finding.level, 'fail')
  assert.match(finding.saw, /mode 0640/)
  assert.equal(finding.todo, `Close it: chmod 600 ${path}`)
  await chmod(path, 0o600)
  assert.equal(levels(await checkKeyFiles(made))['secret.key'], 'ok')
})

test('a master key that is gone beside a database fails, unless the environment gives it', async (t) => {
  const made = await started(t)
  assert.equal(levels(await checkKeyFiles(made))['secret.key'], 'fail')
  const given = await started(t, { PINCALL_SECRET_KEY: 'ab'.repeat(32) })
  assert.equal(levels(await checkKeyFiles(given))['secret.key'], 'ok')
})

test('without the sandbox, key and password must be given', async (t) => {
  const real = await patient(t, { PINCALL_SANDBOX: 'off', PINCALL_API_KEY: 'a-key-of-sixteen-or-more' })
  const {
    'secret.key': master,
    'api-key.txt': key,
    'account-password.txt': password,
  } = levels(await checkKeyFiles(real))
  assert.deepEqual({ master, key, password }, { master: 'ok', key: 'ok', password: 'fail' })
})

test('a database opens and tells its version; a file that is none fails, and is left as it was', async (t) => {
  const made = await started(t)
  const [finding] = await checkDatabase(made)
  assert.equal(finding.level, 'ok')
  assert.match(finding.saw, /schema version \d+$/)
  await writeFile(made.databasePath, 'no database at all, but long enough to be looked at'.repeat(100))
  assert.deepEqual(levels(await checkDatabase(made)), { database: 'fail' })
})

test('a clock before the newest event in the database fails, a few minutes are forgiven', async (t) => {
  const made = await started(t)
  const at = Date.parse('2027-03-01T12:00:00Z')
  await writeEvent(made.databasePath, at)
  const level = async (now: number) => levels(await checkClock(made, new ManualClock(now))).clock
  assert.equal(await level(at + 1000), 'ok')
  assert.equal(await level(at - 60_000), 'ok')
  assert.equal(await level(at - 3_600_000), 'fail')
  assert.equal(await level(Date.parse('1970-01-02')), 'fail')
})

test('a port that another program has fails; one that a running Pincall has is well', async (t) => {
  const http = createServer().listen(0, '127.0.0.1')
  const udp = createSocket('udp4').bind(0, '127.0.0.1')
  t.after(() => {
    http.close()
    udp.close()
  })
  await Promise.all([once(http, 'listening'), once(udp, 'listening')])
  const port = (http.address() as AddressInfo).port
  const sip = { host: '127.0.0.1', port: udp.address().port }
  const taken = await patient(t, { PINCALL_HTTP_PORT: String(port) }, { sip })
  const [httpFinding] = await checkHttpPort(taken)
  assert.equal(httpFinding.level, 'fail')
  assert.match(httpFinding.todo!, /^Another program has it: stop that, or set PINCALL_HTTP_PORT\.$/)
  assert.deepEqual(levels(await checkSipPort(taken)), { 'SIP port': 'fail' })
  const running = { ...taken, running: `http://127.0.0.1:${port}` }
  assert.deepEqual(levels(await checkHttpPort(running)), { 'HTTP port': 'ok' })
  assert.deepEqual(levels(await checkSipPort(running)), { 'SIP port': 'ok' })
})

test('an address that is not this machine’s fails for HTTP, SIP and sound', async (t) => {
  const config = { sip: { host: '192.0.2.1' } }
  const elsewhere = await patient(t, { PINCALL_HTTP_HOST: '192.0.2.1' }, config)
  assert.deepEqual(levels(await checkHttpPort(elsewhere)), { 'HTTP port': 'fail' })
  assert.deepEqual(levels(await checkSipPort(elsewhere)), { 'SIP port': 'fail' })
  assert.deepEqual(levels(await checkMediaPorts(elsewhere)), { 'RTP ports': 'fail' })
})

for (const { what, media, level } of [
  { what: 'is the usual one', media: {}, level: 'ok' },
  { what: 'has room for fewer calls than are allowed', media: { portFrom: 20_000, portTo: 20_100 }, level: 'warn' },
  { what: 'lies among the system’s own ports', media: { portFrom: 33_000, portTo: 36_000 }, level: 'warn' },
]) {
  test(`an RTP port range that ${what} is ${level}`, async (t) => {
    assert.deepEqual(levels(await checkMediaPorts(await patient(t, {}, { media }))), { 'RTP ports': level })
  })
}

/** An event as a delivery that ends would leave it. */
async function writeEvent(path: string, at: number): Promise<void> {
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(path)
  database.exec(`
    INSERT INTO event_heads (account_id, seq) VALUES ('A', 1);
    INSERT INTO events (account_id, seq, kind, at, pin_id, data) VALUES ('A', 1, 'pin.verified', ${at}, 'P', '{}')`)
  database.close()
}
