import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../testbed/free-port.ts'

/** SIPp as the far end: one scenario, one call, on a loopback address of its own. */
export type Callee = {
  host: string
  port: number
  /** Resolves with SIPp's exit code once its scenario is over; 0 means that every message came as the scenario says. */
  done: Promise<number | null>
  /** What SIPp complained of. */
  complaints(): string
  [Symbol.asyncDispose](): Promise<void>
}

export type CalleeOptions = {
  host?: string
  /** Fields for the scenario's [field0], [field1] … */
  fields?: string[]
  calls?: number
  timeoutS?: number
  rtpEcho?: boolean
}

export async function startCallee(scenario: string, options: CalleeOptions = {}): Promise<Callee> {
  const host = options.host ?? '127.0.0.2'
  const port = await freePort(host)
  const folder = mkdtempSync(join(tmpdir(), 'pincall-sipp-'))
  const args = [
    '-sf',
    join(import.meta.dirname, 'sipp', `${scenario}.xml`),
    '-i',
    host,
    '-mi',
    host,
    '-p',
    String(port),
    '-mp',
    String(await freePort(host)),
  ]
  args.push(
    '-m',
    String(options.calls ?? 1),
    '-timeout',
    `${options.timeoutS ?? 30}s`,
    '-timeout_error',
    '-nostdin',
    '-trace_err',
  )
  args.push('-error_file', join(folder, 'errors.log'))
  if (options.rtpEcho) args.push('-rtp_echo')
  if (options.fields) {
    writeFileSync(join(folder, 'fields.csv'), `SEQUENTIAL\n${options.fields.join(';')}\n`)
    args.push('-inf', join(folder, 'fields.csv'))
  }
  const child: ChildProcess = spawn('sipp', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  let complaints = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  const done = new Promise<number | null>((resolve, reject) => {
    child.on('exit', resolve)
    child.on('error', () => reject(new Error('sipp could not be started: apt-get install sip-tester')))
  })
  await listening(host, port, done)
  return {
    host,
    port,
    done,
    complaints: () => complaints,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await done.catch(() => {})
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/**
 * Waits until SIPp holds its port, which it says by no other sign. The kernel's table is read: trying to bind the port would
 * take it from SIPp at the very moment it wants it.
 */
async function listening(host: string, port: number, ended: Promise<unknown>): Promise<void> {
  const address = Buffer.from(host.split('.').map(Number)).reverse().toString('hex').toUpperCase()
  const socket = ` ${address}:${port.toString(16).toUpperCase().padStart(4, '0')} `
  let over = false
  ended
    .finally(() => {
      over = true
    })
    .catch(() => {})
  for (let tries = 0; tries < 400 && !over; tries++) {
    if (readFileSync('/proc/net/udp', 'latin1').includes(socket)) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error(`sipp never listened on ${host}:${port}`)
}
