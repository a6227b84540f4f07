import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { postgresBinaries, reachable, type ServerUser, serverUser } from './postgres-binaries.ts'

type Rows = Record<string, unknown>[]

/** Databases of a test's own on some PostgreSQL. */
export type TestDatabases = {
  /** The server's own database, as its superuser. */
  url: string
  /** Makes an empty database; its URL. */
  freshDatabase(name?: string): Promise<string>
  /** One statement in the server's own database, or in the one of `url`. */
  query(sql: string, values?: unknown[], url?: string): Promise<Rows>
  [Symbol.asyncDispose](): Promise<void>
}

/** A PostgreSQL of the test's own, on 127.0.0.1. */
export type TestPostgres = TestDatabases & {
  port: number
  dataDir: string
  /** Process of the postmaster, while it runs. */
  pid(): number | undefined
  /** What the server wrote to its log so far. */
  log(): string
  /** kill -9 of the postmaster; its backends see it and end by themselves. */
  kill(): Promise<void>
  /** `fast` ends every session and writes a checkpoint, `immediate` leaves as a crash does. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>
  /** Starts it again after `kill` or `stop`, with the same data on the same port. */
  start(): Promise<void>
  restart(mode?: 'fast' | 'immediate'): Promise<void>
}

export type PostgresOptions = {
  /** Further settings, as in postgresql.conf. */
  settings?: Record<string, string | number>
}

const READY_WITHIN_MS = 60_000

/**
 * Makes and starts a PostgreSQL that leaves with us: however we end, its watchdog sees the pipe to us close, stops the
 * server and removes its data.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<TestPostgres> {
  const user = serverUser()
  const home = makeHome(user)
  const watchdog = startWatchdog(home)
  try {
    return await startIn(home, user, watchdog, options)
  } catch (error) {
    await watchdog.end()
    throw error
  }
}

async function startIn(
  home: string,
  user: ServerUser | undefined,
  watchdog: Watchdog,
  options: PostgresOptions,
): Promise<TestPostgres> {
  const bin = postgresBinaries(home, user)
  const dataDir = join(home, 'data')
  const logPath = join(home, 'log')
  const password = randomBytes(12).toString('hex')
  makeCluster(bin, { home, dataDir, password, user })
  const port = await freeTcpPort()
  writeFileSync(join(dataDir, 'postgresql.auto.conf'), settingsText({ ...usualSettings(port), ...options.settings }))
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
  let server: ChildProcess | undefined

  /** Old backends hold the shared memory for a moment after a kill, and somebody may have our port: both pass. */
  async function start(): Promise<void> {
    if (server) return
    for (const until = Date.now() + READY_WITHIN_MS; ; ) {
      const logged = readFileSync(logPath, { encoding: 'utf8', flag: 'a+' }).length
      const child = spawnServer(bin, dataDir, logPath, user)
      watchdog.watch(child)
      if (await isReady(child, url, until)) {
        server = child
        return
      }
      watchdog.forget(child)
      const said = readFileSync(logPath, 'utf8').slice(logged)
      const passing = /pre-existing shared memory|lock file .* already exists|could not bind|Address already in use/
      if (!passing.test(said) || Date.now() > until) throw new Error(`PostgreSQL does not start:\n${said.slice(-2000)}`)
      await wait(100)
    }
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const child = server
    if (!child) return
    server = undefined
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.ref()
      child.kill(signal)
      await ended
    }
    watchdog.forget(child)
  }

  const stop = (mode: 'fast' | 'immediate' = 'fast') => end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
  await start()
  return {
    ...databasesOf(url, async () => {
      await stop('immediate')
      await watchdog.end()
    }),
    port,
    dataDir,
    pid: () => server?.pid,
    log: () => readFileSync(logPath, 'utf8'),
    kill: () => end('SIGKILL'),
    stop,
    start,
    restart: async (mode) => {
      await stop(mode)
      await start()
    },
  }
}

/**
 * Databases on the PostgreSQL that `npm test` started for the whole run, or else on one of the file's own. It must not be
 * stopped or killed: who wants that starts one with `startPostgres`.
 */
export async function testDatabases(): Promise<TestDatabases> {
  const shared = process.env.PINCALL_TEST_POSTGRES_URL
  return shared ? databasesOf(shared, async () => {}) : startPostgres()
}

function databasesOf(url: string, end: () => Promise<void>): TestDatabases {
  const query = async (sql: string, values: unknown[] = [], where = url): Promise<Rows> => {
    const client = new pg.Client({ connectionString: where })
    client.on('error', () => {}) // told by the query
    await client.connect()
    try {
      return (await client.query(sql, values)).rows
    } finally {
      await client.end()
    }
  }
  return {
    url,
    query,
    freshDatabase: async (name = `pincall_${randomBytes(6).toString('hex')}`) => {
      await query(`CREATE DATABASE ${name}`)
      return Object.assign(new URL(url), { pathname: `/${name}` }).href
    },
    [Symbol.asyncDispose]: end,
  }
}

/** A temporary directory that the server's user may enter, even where ours is nobody else's to enter. */
function makeHome(user: ServerUser | undefined): string {
  const parent = reachable(tmpdir(), user) ? tmpdir() : '/tmp'
  const home = mkdtempSync(join(parent, 'pincall-postgres-'))
  chmodSync(home, 0o755)
  if (user) chownSync(home, user.uid, user.gid)
  return home
}

function makeCluster(
  bin: string,
  cluster: { home: string; dataDir: string; password: string; user: ServerUser | undefined },
): void {
  const { home, dataDir, password, user } = cluster
  const passwordFile = join(home, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (user) chownSync(passwordFile, user.uid, user.gid)
  mkdirSync(dataDir, { mode: 0o700 })
  if (user) chownSync(dataDir, user.uid, user.gid)
  const wanted = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
  const { status, stderr, error } = spawnSync(
    join(bin, 'initdb'),
    ['--pgdata', dataDir, ...wanted, '--encoding=UTF8', '--no-locale', '--no-sync', '--no-instructions'],
    { cwd: home, env: plainEnvironment(), encoding: 'utf8', ...user },
  )
  rmSync(passwordFile)
  if (status !== 0) throw new Error(`initdb of ${bin} failed: ${error?.message ?? stderr}`)
}

const usualSettings = (port: number) => ({
  listen_addresses: '127.0.0.1',
  port,
  unix_socket_directories: '',
  shared_buffers: '64MB',
  max_connections: 200,
  fsync: 'on',
  jit: 'off',
  log_checkpoints: 'off',
})

const settingsText = (settings: Record<string, string | number>) =>
  Object.entries(settings)
    .map(([name, value]) => `${name} = '${value}'\n`)
    .join('')

/** Nothing of PGHOST and the like, which would lead elsewhere. */
const plainEnvironment = () => ({ PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' })

function spawnServer(bin: string, dataDir: string, logPath: string, user: ServerUser | undefined): ChildProcess {
  const log = openSync(logPath, 'a')
  const child = spawn(join(bin, 'postgres'), ['-D', dataDir], {
    cwd: dataDir,
    env: plainEnvironment(),
    stdio: ['ignore', log, log],
    detached: true, // Ctrl-C is ours: the watchdog tells it
    ...user,
  })
  child.unref()
  return child
}

/** Asks until the server answers; false where it ended. */
async function isReady(child: ChildProcess, url: string, until: number): Promise<boolean> {
  let ended = false
  child.once('exit', () => {
    ended = true
  })
  child.once('error', () => {
    ended = true
  })
  while (!ended && Date.now() < until) {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    try {
      await client.connect()
      return !ended
    } catch {
      await wait(30)
    } finally {
      await client.end().catch(() => {})
    }
  }
  if (!ended) child.kill('SIGKILL')
  return false
}

type Watchdog = { watch(server: ChildProcess): void; forget(server: ChildProcess): void; end(): Promise<void> }

/** Told who runs, and when they are gone; acts once the pipe closes, which it does even at a kill -9 of ours. */
const WATCHDOG = `
trap '' INT TERM HUP
pid=
while read -r word; do
  case $word in gone) pid= ;; *) pid=$word ;; esac
done
[ -n "$pid" ] && kill -QUIT "$pid" 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9 10; do
  { [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; } || break
  sleep 0.2
done
rm -rf "$1"`

function startWatchdog(home: string): Watchdog {
  const child = spawn('/bin/sh', ['-c', WATCHDOG, 'watchdog', home], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  child.unref()
  const pipe = child.stdin
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref()
  return {
    watch: (server) => void (server.pid && pipe.write(`${server.pid}\n`)),
    forget: () => void pipe.write('gone\n'),
    end: async () => {
      child.ref()
      pipe.end()
      await ended
    },
  }
}

async function freeTcpPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((bound) => server.listen(0, '127.0.0.1', bound))
  const { port } = server.address() as { port: number }
  await new Promise<void>((closed) => server.close(() => closed()))
  return port
}
