import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { type CodeKeys, codeKeys } from '../../src/verification/code.ts'
import { cpuMs, ROOT, SERVER_CORE, type Started, startOn } from './processes.ts'

/** A whole Pincall on the server's core, with a master key that the benchmark knows: right guesses can be made. */
export type BenchedPincall = {
  url: string
  pid: number
  /** From the start of the process to its word that it is ready, and what that cost. */
  started: { seconds: number; cpuMs: number }
  headers: Record<string, string>
  keys: CodeKeys
  /** Reads the server's database from outside, while it runs. */
  read(sql: string): Promise<Record<string, unknown>[]>
  output(): string
  post(
    path: string,
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; text: string; body: Record<string, unknown> }>
  /** Resolves when every delivery is closed. */
  idle(withinMs: number): Promise<void>
  close(): Promise<void>
}

const API_KEY = '003026bbc133714df1834b8638bb496e-8f4b3d9a-e931-478d-a994-28a725159ab9'
const MASTER_KEY = '8f'.repeat(32)
const START_MS = 90_000

export async function startPincall(
  options: { config?: string; env?: Record<string, string>; main?: string; databaseUrl?: string } = {},
): Promise<BenchedPincall> {
  const { databaseUrl } = options
  const dataDir = mkdtempSync(join(tmpdir(), 'pincall-bench-'))
  const configPath = join(dataDir, 'pincall.yaml')
  if (options.config) writeFileSync(configPath, options.config)
  const profile = process.env.BENCH_CPU_PROF ? ['--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_CPU_PROF}`] : []
  const begun = performance.now()
  const server: Started = startOn(SERVER_CORE, process.execPath, [...profile, options.main ?? 'src/main.ts'], {
    cwd: ROOT,
    env: {
      PINCALL_HTTP_PORT: '0',
      PINCALL_DATA_DIR: dataDir,
      PINCALL_API_KEY: API_KEY,
      PINCALL_SECRET_KEY: MASTER_KEY,
      PINCALL_ACCOUNT_PASSWORD: 'only for benchmarks',
      PINCALL_LOG_LEVEL: 'warn',
      ...(options.config && { PINCALL_CONFIG: configPath }),
      ...(databaseUrl && { PINCALL_DATABASE_URL: databaseUrl }),
      ...options.env,
    },
  })
  const [, url] = await server.line(/Pincall is ready at (\S+)/, START_MS)
  const started = { seconds: (performance.now() - begun) / 1000, cpuMs: cpuMs(server.pid) }
  const headers = { authorization: `App ${API_KEY}` }
  const database = databaseUrl ? await readPostgres(databaseUrl) : readSqlite(join(dataDir, 'pincall.db'))
  return {
    url,
    pid: server.pid,
    started,
    headers,
    keys: codeKeys([{ id: 'k1', key: Buffer.from(MASTER_KEY, 'hex') }]),
    read: database.read,
    output: server.output,
    async post(path, body, more = {}) {
      const answer = await fetch(url + path, {
        method: 'POST',
        headers: { ...headers, ...more, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      const text = await answer.text()
      return { status: answer.status, text, body: text.startsWith('{') ? JSON.parse(text) : {} }
    },
    async idle(withinMs) {
      for (const until = performance.now() + withinMs; performance.now() < until; ) {
        const [{ open }] = await database.read('SELECT count(*) AS open FROM deliveries WHERE closed_at IS NULL')
        if (Number(open) === 0) return
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      throw new Error(`deliveries were still open after ${withinMs} ms`)
    },
    async close() {
      await database.close()
      await server.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

function readSqlite(path: string) {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  return { read: async (sql: string) => database.prepare(sql).all(), close: async () => database.close() }
}

async function readPostgres(url: string) {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // told by the query
  await client.connect()
  return { read: async (sql: string) => (await client.query(sql)).rows, close: () => client.end() }
}

export const PIN_LENGTH = 6

/** An application whose limits never come into play, and a template. */
export async function setUp(pincall: BenchedPincall): Promise<{ applicationId: string; messageId: string }> {
  const application = await pincall.post('/2fa/2/applications', {
    name: 'benchmark',
    configuration: {
      pinAttempts: 10,
      pinTimeToLive: '1h',
      verifyPinLimit: '100000000/1s',
      sendPinPerApplicationLimit: '100000000/1d',
      sendPinPerPhoneNumberLimit: '100000000/1d',
    },
  })
  const applicationId = String(application.body.applicationId)
  const template = await pincall.post(`/2fa/2/applications/${applicationId}/messages`, {
    pinType: 'NUMERIC',
    pinLength: PIN_LENGTH,
    messageText: 'Your code is {{pin}}.',
    language: 'en',
  })
  if (!template.body.messageId) throw new Error(`no template: ${application.text} ${template.text}`)
  return { applicationId, messageId: String(template.body.messageId) }
}

/** Swiss mobile numbers, each another one. */
export function numbers(): () => string {
  let made = 0
  return () => `4179${String(1_000_000 + (made++ % 8_000_000))}`
}
