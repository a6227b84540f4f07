import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { hashSecret } from '../api/index.ts'
import { ManualClock, systemClock } from '../clock.ts'
import { DEFAULT_ACCOUNT } from '../default-account.ts'
import { silentLog } from '../log.ts'
import { openStore, sealedNumbers } from '../store/index.ts'
import type { Io } from './io.ts'
import { listKeys } from './keys.ts'
import { runCli } from './program.ts'

/** An installation that was started once, and a terminal. */
async function installation(t: TestContext) {
  const dir = await mkdtemp(join(tmpdir(), 'pincall-keys-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const path = join(dir, 'pincall.db')
  const key = Buffer.alloc(32, 7)
  await writeFile(join(dir, 'secret.key'), `${key.toString('hex')}\n`, { mode: 0o600 })
  const numbers = sealedNumbers([{ id: 'k1', key }])
  const open = () => openStore({ dataDir: dir, numbers, clock: systemClock, log: silentLog })
  const store = await open()
  await store.ensureAccount({ accountId: DEFAULT_ACCOUNT, name: 'default', createdAt: 1 }, 0)
  await store.close()
  const out: string[] = []
  const err: string[] = []
  const env = { PINCALL_DATA_DIR: dir }
  const io: Io = {
    env,
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    colour: false,
    columns: 99,
  }
  return { dir, path, open, out, err, io, run: (...args: string[]) => runCli(['keys', ...args], io) }
}

test('a key is made: its secret is printed once, the store has its hash alone', async (t) => {
  const { path, open, out, err, run } = await installation(t)
  assert.equal(await run('create', 'web shop', '--scope', '2fa:pin:send', '--days', '30'), 0)
  const [secret] = out
  assert.match(secret, /^[0-9a-f]{32}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  assert.equal(out.length, 1, 'a script can read the secret from stdout')
  assert.match(err.join(), /not shown again/)
  assert.doesNotMatch(err.join(), new RegExp(secret))
  const store = await open()
  const key = await store.findKey(hashSecret(secret))
  await store.close()
  assert.equal(key?.name, 'web shop')
  assert.deepEqual(key?.scopes, ['2fa:pin:send'])
  assert.equal(key!.validTo! - key!.createdAt, 30 * 86_400_000)
  assert.ok(!(await readFile(path, 'latin1')).includes(secret))
})

test('keys are listed without their secrets, and one that is disabled or over is said not to work', async (t) => {
  const { out, io, run } = await installation(t)
  await run('create', 'first')
  await run('create', 'second', '--days', '1')
  const secrets = out.splice(0)
  await run('list', '--json')
  const keys = JSON.parse(out.splice(0).join('\n')) as { id: string; name: string; enabled: boolean }[]
  assert.deepEqual(new Set(keys.map(({ name }) => name)), new Set(['first', 'second']))
  assert.equal(
    await run(
      'disable',
      keys
        .find(({ name }) => name === 'first')!
        .id.slice(0, 12)
        .toLowerCase(),
    ),
    0,
  )
  out.length = 0
  await listKeys(io, {}, new ManualClock(Date.now() + 2 * 86_400_000))
  const text = out.join('\n')
  assert.match(text, /\bfirst +no /)
  assert.match(text, /\bsecond +no /)
  for (const secret of secrets) assert.ok(!text.includes(secret))
})

for (const { what, args, sentence } of [
  { what: 'an id that is nobody’s', args: ['disable', 'FFFF'], sentence: /No key has an id that begins with FFFF/ },
  { what: 'an id that several keys begin with', args: ['disable', ''], sentence: /2 keys have ids that begin with/ },
  {
    what: 'an unknown scope',
    args: ['create', 'x', '--scope', 'all'],
    sentence: /all is no scope: known are 2fa:manage/,
  },
  { what: 'days that are no number', args: ['create', 'x', '--days', '-1'], sentence: /whole number of days/ },
]) {
  test(`${what} is refused with a sentence, and nothing changes`, async (t) => {
    const { open, err, run } = await installation(t)
    await run('create', 'first')
    await run('create', 'second')
    err.length = 0
    assert.equal(await run(...args), 1)
    assert.match(err.join('\n'), sentence)
    const store = await open()
    const keys = await store.listKeys(DEFAULT_ACCOUNT)
    await store.close()
    assert.deepEqual(
      keys.map(({ enabled }) => enabled),
      [true, true],
    )
  })
}

test('names that carry escape sequences do nothing to the terminal', async (t) => {
  const { out, run } = await installation(t)
  await run('create', 'evil\u001b[2J\u0007\nname')
  out.length = 0
  await run('list')
  assert.equal(out.length, 2)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  assert.doesNotMatch(out.join(''), /[\u0000-\u001f\u007f-\u009f]/)
})

test('without a database the commands say how to get one, and make none', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'pincall-keys-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const err: string[] = []
  const io: Io = {
    env: { PINCALL_DATA_DIR: dir },
    out: () => {},
    err: (line) => void err.push(line),
    colour: false,
    columns: 99,
  }
  assert.equal(await runCli(['keys', 'list'], io), 1)
  assert.match(err.join(), /start the server once/)
  await assert.rejects(readFile(join(dir, 'pincall.db')))
})

test('without the server’s master key the commands leave its database alone, and say where it must come from', async (t) => {
  const { dir, err, run } = await installation(t)
  await rm(join(dir, 'secret.key'))
  assert.equal(await run('create', 'x'), 1)
  assert.match(err.join(), /There is no master key in .*secret\.key: set PINCALL_SECRET_KEY/)
})
