import { readConfig, type Settings } from './config.ts'
import { PincallError } from './errors.ts'
import { completeSecrets, type Secrets } from './key-files.ts'
import { makeLog } from './log.ts'
import { systemRandom } from './random.ts'
import { type Server, startServer } from './server.ts'
import { welcome } from './welcome.ts'

export type RunningServer = { url: string; apiKey: string; settings: Settings; close(): Promise<void> }

/** Reads the settings and starts everything. Rejects with a `PincallError` whose sentence says what to change. */
export async function serve(env: NodeJS.ProcessEnv): Promise<RunningServer> {
  const { server, settings, secrets } = await start(env)
  return { url: server.url, apiKey: secrets.apiKey, settings, close: server.close }
}

async function start(env: NodeJS.ProcessEnv): Promise<{ server: Server; settings: Settings; secrets: Secrets }> {
  const { settings, secrets: given } = readConfig(env)
  const log = makeLog({ level: settings.logLevel })
  const secrets = completeSecrets(given, settings.dataDir, settings.sandbox.on, systemRandom)
  return { server: await startServer(settings, secrets, log), settings, secrets }
}

/** `npm start`: serves until SIGTERM or SIGINT, then drains. A second signal ends at once. */
export async function run(env: NodeJS.ProcessEnv): Promise<void> {
  let started: Awaited<ReturnType<typeof start>>
  try {
    started = await start(env)
  } catch (error) {
    if (!(error instanceof PincallError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
    return
  }
  const { server, settings, secrets } = started
  const { apiKey, made, user, password } = secrets
  const { dataDir, sandbox } = settings
  const login = `${user}:${password}`
  let stopping = false
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(1)
    stopping = true
    server.log.info({ signal }, 'shutting down: no new calls, those in progress may end')
    server.close().then(
      () => process.exit(0),
      (error) => {
        server.log.fatal({ err: error }, 'shutting down failed')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.stdout.write(welcome({ url: server.url, apiKey, login, sandbox: sandbox.on, made, dataDir }))
}

if (import.meta.main) await run(process.env)
