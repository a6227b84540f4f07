import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { startPostgres, type TestPostgres } from '../../../test/testbed/postgres.ts'
import { ManualClock, systemClock } from '../../clock.ts'
import { readConfig } from '../../config.ts'
import { DEFAULT_ACCOUNT } from '../../default-account.ts'
import { silentLog } from '../../log.ts'
import { openStore, sealedNumbers } from '../../store/index.ts'
import { runCli } from '../program.ts'
import { checkClock, checkDatabase } from './database.ts'
import { checkKeyFiles } from './files.ts'
import type { Finding, Patient } from './types.ts'

describe('an installation on PostgreSQL', () => {
  let postgres: TestPostgres
  before(async () => {
    postgres = await startPostgres()
  })
  after(() => postgres?.[Symbol.asyncDispose]())

  const key = Buffer.alloc(32, 7)
  async function patient(t: TestContext, url: string): Promise<Patient> {
    const dataDir = await mkdtemp(join(tmpdir(), 'pincall-doctor-'))
    t.after(() => rm(dataDir, { recursive: true, force: true }))
    const env = { PINCALL_DATA_DIR: dataDir, PINCALL_DATABASE_URL: url }
    return { env, settings: readConfig(env).settings, running: undefined, databasePath: join(dataDir, 'pincall.db') }
  }
  async function started(url: string): Promise<void> {
    const numbers = sealedNumbers([{ id: 'k1', key }])
    const store = await openStore({
      databaseUrl: url,
      dataDir: '/nowhere',
      numbers,
      clock: systemClock,
      log: silentLog,
    })
    await store.ensureAccount({ accountId: DEFAULT_ACCOUNT, name: 'default', createdAt: 1 }, 0)
    await store.close()
  }
  const find = (findings: Finding[], name: string) => findings.find(({ check }) => check === name)!

  test('before the first start its tables will be made; after it their version is told, and how far the clocks are apart', async (t) => {
    const url = await postgres.freshDatabase()
    const one = await patient(t, url)
    const fresh = await checkDatabase(one)
    assert.match(
      find(fresh, 'database').saw,
      /^PostgreSQL at postgres:\/\/.* answers, version \d+.*tables will be made/,
    )
    assert.equal(find(await checkKeyFiles(one), 'secret.key').level, 'ok')
    await started(url)
    const findings = await checkDatabase(one)
    assert.deepEqual(
      findings.map(({ check, level }) => [check, level]),
      [
        ['database', 'ok'],
        ['database connections', 'ok'],
        ['database clock', 'ok'],
      ],
    )
    assert.match(find(findings, 'database').saw, /schema version \d+$/)
    const password = new URL(url).password
    assert.ok(password && !JSON.stringify(findings).includes(password))
    assert.equal(
      find(await checkKeyFiles(one), 'secret.key').level,
      'fail',
      'other nodes have the key: it is not made anew',
    )
  })

  test('one that does not answer fails, without its password; the clock is looked at all the same', async (t) => {
    const one = await patient(t, 'postgres://u:hush-hush@127.0.0.1:1/pincall')
    const [finding] = await checkDatabase(one)
    assert.equal(finding.level, 'fail')
    assert.ok(!JSON.stringify(finding).includes('hush'))
    assert.equal((await checkClock(one, new ManualClock(Date.parse('2026-12-01'))))[0].level, 'ok')
  })

  test('one that can only be read fails', async (t) => {
    const url = await postgres.freshDatabase('only_reads')
    await postgres.query('ALTER DATABASE only_reads SET default_transaction_read_only = on')
    const [finding] = await checkDatabase(await patient(t, url))
    assert.equal(finding.level, 'fail')
    assert.match(finding.saw + finding.todo, /only (be )?reads?/)
  })

  test('keys are made and listed there', async (t) => {
    const url = await postgres.freshDatabase()
    await started(url)
    const { env } = await patient(t, url)
    const out: string[] = []
    const err: string[] = []
    const io = {
      env: { ...env, PINCALL_SECRET_KEY: key.toString('hex') },
      out: (line: string) => void out.push(line),
      err: (line: string) => void err.push(line),
      colour: false,
      columns: 99,
    }
    assert.equal(await runCli(['keys', 'create', 'shop'], io), 0, err.join('\n'))
    assert.equal(await runCli(['keys', 'list', '--json'], io), 0)
    assert.match(out.at(-1)!, /"name":"shop"/)
  })
})
