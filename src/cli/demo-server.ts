import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig } from '../config.ts'
import { makeWire, Refused, type Wire } from './wire.ts'

/** A server with its sandbox on, which takes our key: found running, or started here and gone after. */
export type DemoServer = { wire: Wire; sentence: string; close(): Promise<void> }

type Serve = (env: NodeJS.ProcessEnv) => Promise<{ url: string; apiKey: string; close(): Promise<void> }>

const PROBE_MS = 3000

/** Uses the server that the settings name where it can play this story, else starts one that nobody else sees. */
export async function findOrStart(env: NodeJS.ProcessEnv, serve: Serve = serveHere): Promise<DemoServer> {
  const { url, key } = whereToLook(env)
  const found = await probe(url, key)
  if (found === 'ready')
    return { wire: makeWire(url, key!), sentence: `the one running at ${url}`, close: async () => {} }
  const why = {
    absent: '',
    'other key': ` (the one at ${url} does not take this directory’s key)`,
    'no sandbox': ` (the one at ${url} has no sandbox: its calls are real)`,
  }
  const server = await startHere(env, serve)
  return { ...server, sentence: `started here for this demo, at ${server.wire.url}${why[found]}` }
}

async function startHere(env: NodeJS.ProcessEnv, serve: Serve): Promise<Omit<DemoServer, 'sentence'>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pincall-demo-'))
  const config = join(dataDir, 'pincall.json')
  await writeFile(config, JSON.stringify({ calls: { drainS: 0 } })) // the story is over before the call is: hang up then
  const others = Object.entries(env).filter(([name]) => !name.startsWith('PINCALL_'))
  const settings = {
    PINCALL_HTTP_PORT: '0',
    PINCALL_DATA_DIR: dataDir,
    PINCALL_SANDBOX: 'on',
    PINCALL_CONFIG: config,
    PINCALL_LOG_LEVEL: 'silent', // the story is what the terminal is for
  }
  const remove = () => rm(dataDir, { recursive: true, force: true })
  try {
    const server = await serve({ ...Object.fromEntries(others), ...settings })
    return { wire: makeWire(server.url, server.apiKey), close: () => server.close().finally(remove) }
  } catch (error) {
    await remove()
    throw error
  }
}

const serveHere: Serve = async (env) => (await import('../main.ts')).serve(env)

/** Where a running server would be, and the key that the data directory has for it. */
export function whereToLook(env: NodeJS.ProcessEnv): { url: string; key: string | undefined } {
  const { settings, secrets } = readConfig(env)
  const file = join(settings.dataDir, 'api-key.txt')
  const key = secrets.apiKey ?? (existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined)
  return { url: urlOf(settings.http), key }
}

/** The address at which this machine reaches what listens on `host`. */
export function urlOf({ host, port }: { host: string; port: number }): string {
  const near = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
  return `http://${near.includes(':') ? `[${near}]` : near}:${port}`
}

async function probe(url: string, key: string | undefined): Promise<'ready' | 'absent' | 'other key' | 'no sandbox'> {
  const signal = AbortSignal.timeout(PROBE_MS)
  const health = await fetch(`${url}/healthz`, { signal }).catch(() => undefined)
  if (!health?.ok) return 'absent'
  const wire = makeWire(url, key ?? 'none')
  try {
    await wire.get('/2fa/2/applications')
  } catch (error) {
    return error instanceof Refused && error.status === 401 ? 'other key' : 'absent'
  }
  return wire.get('/sandbox/pins?to=0').then(
    () => 'ready',
    (error: unknown) => (error instanceof Refused && error.status === 400 ? 'ready' : 'no sandbox'),
  )
}
