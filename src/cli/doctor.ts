import { join } from 'node:path'
import { type Clock, systemClock } from '../clock.ts'
import { readConfig, type Settings } from '../config.ts'
import { PincallError } from '../errors.ts'
import { urlOf } from './demo-server.ts'
import { checkClock, checkDatabase } from './doctor/database.ts'
import { checkSpeech, checkTrunks } from './doctor/engines.ts'
import { checkDataDir, checkDisk, checkKeyFiles } from './doctor/files.ts'
import { checkHttpPort, checkMediaPorts, checkSipPort } from './doctor/ports.ts'
import { type Finding, fail, type Level, ok, type Patient } from './doctor/types.ts'
import { fold, type Io, paint } from './io.ts'

type Check = (patient: Patient, clock: Pick<Clock, 'now'>) => Promise<Finding[]>

/** In the order of their lines. None depends on another, and none changes anything. */
const CHECKS: readonly { name: string; check: Check }[] = [
  { name: 'data directory', check: checkDataDir },
  { name: 'key files', check: checkKeyFiles },
  { name: 'database', check: checkDatabase },
  { name: 'clock', check: checkClock },
  { name: 'disk', check: checkDisk },
  { name: 'HTTP port', check: checkHttpPort },
  { name: 'SIP port', check: checkSipPort },
  { name: 'RTP ports', check: checkMediaPorts },
  { name: 'speech', check: checkSpeech },
  { name: 'trunks', check: checkTrunks },
]

const HEALTH_MS = 2000

/** `pincall doctor`. Resolves with the exit code: 1 where a check failed. */
export async function doctor(
  io: Io,
  options: { json?: true },
  clock: Pick<Clock, 'now'> = systemClock,
): Promise<number> {
  const findings: Finding[] = []
  const print = options.json ? () => {} : (finding: Finding) => printLine(io, finding)
  for await (const finding of examine(io.env, clock)) {
    findings.push(finding)
    print(finding)
  }
  const failed = findings.filter(({ level }) => level === 'fail').length
  if (options.json) io.out(JSON.stringify({ ok: failed === 0, findings }, null, 2))
  else io.out(`\n${summary(findings)}`)
  return failed > 0 ? 1 : 0
}

/** All findings, one check after the other. A check that breaks is a finding too. */
export async function* examine(env: NodeJS.ProcessEnv, clock: Pick<Clock, 'now'>): AsyncGenerator<Finding> {
  yield ok('node', `${process.version} on ${process.platform} ${process.arch}`)
  let settings: Settings
  try {
    settings = readConfig(env).settings
  } catch (error) {
    if (!(error instanceof PincallError)) throw error
    yield fail('settings', error.message, 'Correct it and run this again: the other checks need it.')
    return
  }
  yield ok('settings', `${env.PINCALL_CONFIG || 'environment'}; the sandbox is ${settings.sandbox.on ? 'on' : 'off'}`)
  const running = await runningAt(urlOf(settings.http))
  const patient: Patient = { env, settings, running, databasePath: join(settings.dataDir, 'pincall.db') }
  for (const { name, check } of CHECKS) {
    try {
      yield* await check(patient, clock)
    } catch (error) {
      yield fail(
        name,
        `could not be checked: ${(error as Error).message}`,
        'Run this as the user that runs the server.',
      )
    }
  }
}

async function runningAt(url: string): Promise<string | undefined> {
  const health = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(HEALTH_MS) }).catch(() => undefined)
  const body = health && (await health.text().catch(() => ''))
  return body?.includes('"ready"') ? url : undefined
}

const MARKS: Record<Level, { mark: string; colour: 'green' | 'yellow' | 'red' }> = {
  ok: { mark: 'ok  ', colour: 'green' },
  warn: { mark: 'warn', colour: 'yellow' },
  fail: { mark: 'FAIL', colour: 'red' },
}
const CHECK_WIDTH = 22
const INDENT = 4 + 2 + CHECK_WIDTH

function printLine(io: Io, { check, level, saw, todo }: Finding): void {
  const { mark, colour } = MARKS[level]
  const width = Math.max(30, io.columns - INDENT - 1)
  const [first, ...more] = fold(saw, width)
  io.out(`${paint(io, colour, mark)}  ${check.padEnd(CHECK_WIDTH)}${first}`)
  for (const line of more) io.out(' '.repeat(INDENT) + line)
  if (todo) for (const line of fold(todo, width)) io.out(' '.repeat(INDENT) + paint(io, 'bold', line))
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length
  const [failed, warned] = [count('fail'), count('warn')]
  if (failed + warned === 0) return 'All is well.'
  const parts = [...(failed ? [`${failed} failed`] : []), ...(warned ? [`${warned} to look at`] : [])]
  return `${parts.join(', ')}: the lines above say what to do.`
}
