import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

type Json = Record<string, unknown>
export type Answer = { status: number; headers: Headers; body: Json; text: string }

/** A whole Pincall in a process of its own, with its sandbox, on a free port and a data directory of its own. */
export type RunningPincall = {
  url: string
  key: string
  dataDir: string
  pid: number
  /** Everything it wrote to stdout and stderr so far. */
  output(): string
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** SIGTERM, and waits for its end; the exit code. */
  stop(): Promise<number | null>
  /** kill -9. */
  kill(): Promise<void>
  /** Removes the data directory. */
  [Symbol.asyncDispose](): Promise<void>
}

export type StartOptions = { dataDir?: string; config?: string; env?: Record<string, string> }

/** A server on a machine that computes beside it starts slowly; one that never starts is told here. */
const READY_WITHIN_MS = 60_000
/** Longer than any wait that a request may ask for: no test hangs on an answer that never comes. */
const ANSWER_WITHIN_MS = 130_000

const root = resolve(import.meta.dirname, '../..')

export async function startPincall(options: StartOptions = {}): Promise<RunningPincall> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'pincall-'))
  const key = '003026bbc133714df1834b8638bb496e-8f4b3d9a-e931-478d-a994-28a725159ab9'
  const configPath = join(dataDir, 'pincall.yaml')
  if (options.config) writeFileSync(configPath, options.config)
  const child = spawn(process.execPath, ['src/main.ts'], {
    cwd: root,
    env: {
      ...process.env,
      PINCALL_HTTP_PORT: '0',
      PINCALL_DATA_DIR: dataDir,
      PINCALL_API_KEY: key,
      ...(options.config && { PINCALL_CONFIG: configPath }),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const ended = new Promise<number | null>((resolveEnd) => child.on('exit', resolveEnd))
  const url = await new Promise<string>((found, failed) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL')
      failed(new Error(`Pincall was not ready within ${READY_WITHIN_MS} ms:\n${output}`))
    }, READY_WITHIN_MS)
    createInterface({ input: child.stdout }).on('line', (line) => {
      output += `${line}\n`
      const match = /Pincall is ready at (\S+)/.exec(line)
      if (!match) return
      clearTimeout(late)
      found(match[1])
    })
    ended.then((code) => {
      clearTimeout(late)
      failed(new Error(`Pincall ended with ${code}:\n${output}`))
    })
  })
  return {
    url,
    key,
    dataDir,
    pid: child.pid!,
    output: () => output,
    async call(method, path, body, headers = {}) {
      const response = await fetch(url + path, {
        method,
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
        headers: {
          authorization: `App ${key}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : {},
      }
    },
    stop() {
      child.kill('SIGTERM')
      return ended
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
      if (!options.dataDir) rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** An application with limits wide enough for a test, and a template. */
export async function setUp(
  pincall: Pick<RunningPincall, 'call'>,
  change: { configuration?: Json; template?: Json } = {},
) {
  const application = await pincall.call('POST', '/2fa/2/applications', {
    name: 'test',
    configuration: {
      sendPinPerPhoneNumberLimit: '1000/1d',
      verifyPinLimit: '1000/1s',
      ...change.configuration,
    },
  })
  const applicationId = String(application.body.applicationId)
  const template = await pincall.call('POST', `/2fa/2/applications/${applicationId}/messages`, {
    pinType: 'NUMERIC',
    pinLength: 6,
    messageText: 'Your code is {{pin}}.',
    language: 'en',
    ...change.template,
  })
  const messageId = String(template.body.messageId)
  return {
    applicationId,
    messageId,
    /** Sends a PIN over SMS and returns its id. */
    async sendPin(to: string): Promise<string> {
      const sent = await pincall.call('POST', '/2fa/2/pin', { applicationId, messageId, to })
      if (typeof sent.body.pinId !== 'string') throw new Error(`no PIN: ${sent.status} ${sent.text}`)
      return sent.body.pinId
    },
  }
}
