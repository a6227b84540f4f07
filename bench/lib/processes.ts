import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'

/** Processes on cores of their own, what they cost, and their sure end. Linux: /proc and taskset. */

export const ROOT = resolve(import.meta.dirname, '../..')
export const SERVER_CORE = 0
/** Where everything runs that is not measured: load, peers, phones. */
export const LOAD_CORE = 1

const TICK_MS = 1000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
const END_MS = 15_000

export type Started = {
  pid: number
  /** Everything it wrote to stdout and stderr. */
  output(): string
  /** The next line of its stdout that matches. */
  line(pattern: RegExp, withinMs: number): Promise<RegExpExecArray>
  /** Writes a line to its stdin. */
  tell(line: string): void
  /** SIGTERM, then SIGKILL where that is not enough. */
  stop(signal?: NodeJS.Signals): Promise<void>
  exited: Promise<number | null>
}

const alive = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

/** Moves a process, this one where none is named, with all its threads to a core; what it starts later inherits that. */
export function stayOn(core: number, pid = process.pid): void {
  execFileSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' })
}

/** Starts a program on one core. */
export function startOn(
  core: number,
  command: string,
  args: string[],
  options: { env?: Record<string, string>; cwd?: string; nice?: number } = {},
): Started {
  const nice = options.nice === undefined ? [] : ['nice', '-n', String(options.nice)]
  const whole = [...nice, 'taskset', '-c', String(core), command, ...args]
  const child = spawn(whole[0], whole.slice(1), {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  alive.add(child)
  const lines = new Lines()
  const exited = new Promise<number | null>((ended) => {
    child.on('exit', (code) => {
      alive.delete(child)
      lines.end(`${command} ended with ${code}`)
      ended(code)
    })
    child.on('error', (error) => {
      lines.end(String(error))
      ended(null)
    })
  })
  child.stdin.on('error', () => {}) // it may be gone already
  createInterface({ input: child.stdout }).on('line', (line) => lines.put(line))
  child.stderr.setEncoding('utf8').on('data', (text: string) => lines.note(text))
  return {
    pid: child.pid!,
    output: () => lines.all,
    line: (pattern, withinMs) => lines.next(pattern, withinMs),
    tell: (line) => child.stdin.write(`${line}\n`),
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      const late = setTimeout(() => child.kill('SIGKILL'), END_MS)
      await exited
      clearTimeout(late)
    },
    exited,
  }
}

const KEPT_CHARACTERS = 200_000

/** Lines as they come, and who waits for one. */
class Lines {
  all = ''
  #ended: string | undefined
  #unread: string[] = []
  #waiting: { pattern: RegExp; found(match: RegExpExecArray): void; failed(error: Error): void }[] = []

  put(line: string): void {
    this.note(`${line}\n`)
    const index = this.#waiting.findIndex(({ pattern }) => pattern.test(line))
    if (index === -1) this.#unread = [...this.#unread.slice(-99), line]
    else for (const waiter of this.#waiting.splice(index, 1)) waiter.found(waiter.pattern.exec(line)!)
  }

  note(text: string): void {
    this.all = (this.all + text).slice(-KEPT_CHARACTERS)
  }

  end(why: string): void {
    this.#ended = why
    for (const { failed } of this.#waiting.splice(0)) failed(new Error(`${why}:\n${this.all.slice(-4000)}`))
  }

  next(pattern: RegExp, withinMs: number): Promise<RegExpExecArray> {
    const index = this.#unread.findIndex((line) => pattern.test(line))
    if (index !== -1) {
      const [line] = this.#unread.splice(0, index + 1).slice(-1)
      return Promise.resolve(pattern.exec(line)!)
    }
    if (this.#ended) return Promise.reject(new Error(`${this.#ended}:\n${this.all.slice(-4000)}`))
    return new Promise((found, failed) => {
      const waiter = {
        pattern,
        found: (match: RegExpExecArray) => done(() => found(match)),
        failed: (error: Error) => done(() => failed(error)),
      }
      const late = setTimeout(() => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter)
        failed(new Error(`no line ${pattern} within ${withinMs} ms:\n${this.all.slice(-4000)}`))
      }, withinMs)
      const done = (then: () => void) => {
        clearTimeout(late)
        then()
      }
      this.#waiting.push(waiter)
    })
  }
}

/** User and system time of a process with all its threads so far, in ms; its children are not in it. */
export function cpuMs(pid: number): number {
  const fields = statOf(pid)
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

/** The same of every process below it: the speech engines of a server. */
export const childrenCpuMs = (pid: number): number =>
  childrenOf(pid).reduce((sum, child) => {
    try {
      return sum + cpuMs(child)
    } catch {
      return sum // it ended while we looked
    }
  }, 0)

/** The same of a process, of all below it, and of those of its children that have ended: a whole PostgreSQL. */
export function familyCpuMs(pid: number): number {
  const fields = statOf(pid)
  const reaped = (Number(fields[13]) + Number(fields[14])) * TICK_MS
  return cpuMs(pid) + reaped + childrenCpuMs(pid)
}

/** All processes below one, at any depth. */
export function childrenOf(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      parents.set(Number(name), Number(statOf(Number(name))[1]))
    } catch {
      // it ended while we looked
    }
  }
  const below = (parent: number): number[] =>
    [...parents].filter(([, of]) => of === parent).flatMap(([child]) => [child, ...below(child)])
  return below(pid)
}

/** Resident memory of a process in MB: all of it, and the part that is no file shared with others. */
export function memoryMb(pid: number): { rssMb: number; anonMb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024
  return { rssMb: mb('VmRSS'), anonMb: mb('RssAnon') }
}

/** Command line of a process, cut to its telling part. */
export const commandOf = (pid: number): string =>
  readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean).slice(1).join(' ').replaceAll(`${ROOT}/`, '')

/** Fields of /proc/<pid>/stat from the state on; the name before them may hold spaces and brackets. */
function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}
