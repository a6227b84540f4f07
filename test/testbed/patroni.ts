import { type ChildProcess, spawn } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, openSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { systemClock } from '../../src/clock.ts'
import { freezeIn, killIn } from './machine-processes.ts'
import { findPrograms, type Machine, machinesOf, type Timings } from './patroni-files.ts'

export type Primary = { name: string; port: number; pid: number }

/** The three machines of docs/high-availability.md on loopback: etcd, Patroni and PostgreSQL on each. */
export type Cluster = {
  /** As PINCALL_DATABASE_URL wants it: all three hosts. */
  url: string
  /** Which one has the leader's lock and takes writes. Rejects where none does. */
  primary(): Promise<Primary>
  /** kill -9 of everything on the primary's machine: PostgreSQL, Patroni, etcd. Connections are reset. */
  killPrimary(): Promise<Primary>
  /** The primary's machine loses its network: connections stay open, and nobody answers on them. It stays so until `bringBack`. */
  freezePrimary(): Promise<Primary>
  waitForPrimary(otherThan?: string): Promise<Primary>
  /** Until one standby confirms commits and so many stream (both, unless said otherwise). */
  waitForStandbys(count?: number): Promise<void>
  /** Switches a dead machine on again; Patroni makes it a standby. Resolves when it streams. */
  bringBack(name: string): Promise<void>
  /** The ends of what Patroni and PostgreSQL wrote, for a message when something went wrong. */
  logs(): string
  /** Kills everything and removes the directory. */
  dispose(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

type Member = { name: string; role: string }

/** Short ones, for tests; the page has those for every day. */
const TIMINGS: Timings = { ttl: 10, loop_wait: 1, retry_timeout: 3 }
const PATIENCE_MS = 90_000

/** Builds the cluster and Pincall's empty database in it. Everything ends with this process, however it ends. */
export async function startCluster(options: { timings?: Timings } = {}): Promise<Cluster> {
  const programs = findPrograms()
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'pincall-ha-'))
  // In a group of its own: the signal that ends a test must not end who cleans up after it.
  const guard = spawn(process.execPath, [join(import.meta.dirname, 'patroni-guard.ts'), directory], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  })
  const ended = new Promise<void>((resolve) => guard.on('exit', () => resolve()))
  const dispose = async () => {
    guard.stdin!.end()
    await ended
  }
  try {
    return await build(directory, programs, options.timings ?? TIMINGS, dispose)
  } catch (error) {
    await dispose()
    throw error
  }
}

async function build(
  directory: string,
  programs: ReturnType<typeof findPrograms>,
  timings: Timings,
  dispose: () => Promise<void>,
): Promise<Cluster> {
  const user = unprivileged()
  if (user) chownSync(directory, user.uid, user.gid)
  const machines = await machinesOf(directory, programs.postgresBin, timings)
  for (const machine of machines) {
    mkdirSync(machine.directory, { mode: 0o700 })
    writeFileSync(join(machine.directory, 'config.yml'), machine.patroniConfig)
    if (user) chownSync(machine.directory, user.uid, user.gid)
  }

  const run = (machine: Machine, program: string, args: string[], env: Record<string, string>): ChildProcess => {
    const log = openSync(join(machine.directory, 'log'), 'a')
    const child = spawn(program, args, {
      cwd: machine.directory,
      env: { PATH: '/usr/bin:/bin', HOME: machine.directory, LANG: 'C.UTF-8', ...env },
      stdio: ['ignore', log, log],
      ...(user && { uid: user.uid, gid: user.gid }),
    })
    child.on('error', () => {}) // seen as a machine that never comes up, with its log in the message
    return child
  }
  const startEtcd = (machine: Machine) => run(machine, programs.etcd, [], machine.etcdEnv)
  const startPatroni = (machine: Machine) => run(machine, programs.patroni, ['config.yml'], machine.patroniEnv)
  const named = (name: string) => machines.find((machine) => machine.name === name)!

  const logs = () =>
    machines
      .map((machine) => `── ${machine.name}\n${readFileSync(join(machine.directory, 'log'), 'utf8').slice(-6000)}`)
      .join('\n')
  async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await systemClock.wait(100)) {
      const found = await look().catch(() => undefined)
      if (found !== undefined) return found
    }
    throw new Error(`${what} did not come in ${PATIENCE_MS / 1000} s:\n${logs()}`)
  }
  const ask = (machine: Machine, path: string) =>
    fetch(`http://127.0.0.1:${machine.ports.patroni}${path}`, { signal: AbortSignal.timeout(1000) })
  async function members(): Promise<Member[]> {
    const { name } = await primary()
    const answer = (await (await ask(named(name), '/cluster')).json()) as { members: Member[] }
    return answer.members
  }

  async function primary(): Promise<Primary> {
    const asked = machines.map(async (machine) => {
      const answer = await ask(machine, '/primary')
      await answer.body?.cancel()
      if (answer.status !== 200) throw new Error(`${machine.name} is no primary`)
      const [pid] = readFileSync(join(machine.dataDir, 'postmaster.pid'), 'utf8').split('\n')
      return { name: machine.name, port: machine.ports.postgres, pid: Number(pid) }
    })
    return Promise.any(asked)
  }
  const waitForPrimary = (otherThan?: string) =>
    until('a new primary', async () => {
      const found = await primary()
      return found.name === otherThan ? undefined : found
    })
  const streaming = async () => {
    const { rows } = await asSuperuser((await primary()).port, [
      `SELECT application_name AS name FROM pg_stat_replication WHERE state = 'streaming'`,
    ])
    return rows.map((row) => String(row.name))
  }
  const confirming = async () => (await members()).find((member) => member.role === 'sync_standby')?.name
  const waitForStandbys = (count = machines.length - 1) =>
    until(`${count} standbys`, async () => {
      const names = await streaming()
      return (names.length >= count && names.includes((await confirming()) ?? '')) || undefined
    }).then(() => {})

  for (const machine of machines) startEtcd(machine)
  for (const machine of machines) startPatroni(machine)
  await waitForPrimary()
  await waitForStandbys()
  await asSuperuser((await primary()).port, [
    `CREATE ROLE pincall LOGIN PASSWORD 'change-me-pincall'`,
    'CREATE DATABASE pincall OWNER pincall',
  ])

  const hosts = machines.map((machine) => `127.0.0.1:${machine.ports.postgres}`).join(',')
  return {
    url: `postgres://pincall:change-me-pincall@${hosts}/pincall`,
    primary,
    waitForPrimary,
    waitForStandbys,
    logs,
    async killPrimary() {
      const found = await primary()
      await killIn(named(found.name).directory)
      return found
    },
    async freezePrimary() {
      const found = await primary()
      await freezeIn(named(found.name).directory)
      return found
    },
    async bringBack(name) {
      await killIn(named(name).directory) // a frozen machine is not woken: it is switched off and on
      startEtcd(named(name))
      startPatroni(named(name))
      await until(`${name} as a standby`, async () => (await streaming()).includes(name) || undefined)
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  }
}

/** Statements as PostgreSQL's own superuser; the result of the last. */
async function asSuperuser(port: number, statements: string[]): Promise<pg.QueryResult> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: 'change-me-superuser',
    database: 'postgres',
    connectionTimeoutMillis: 2000,
    query_timeout: 10_000,
  })
  client.on('error', () => {}) // its server died: the statement says so
  await client.connect()
  try {
    let result: pg.QueryResult | undefined
    for (const statement of statements) result = await client.query(statement)
    return result!
  } finally {
    await client.end().catch(() => {})
  }
}

/** PostgreSQL does not run as root: then it is Debian's postgres, or nobody. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid!() !== 0) return undefined
  const users = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name, , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]),
  )
  return users.get('postgres') ?? users.get('nobody')
}
