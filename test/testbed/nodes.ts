import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { openStore, type Store, sealedNumbers } from '../../src/store/index.ts'
import { type Answer, type RunningPincall, startPincall } from './running-server.ts'

/** Pincall nodes over one database, each a process of its own with ports and a data directory of its own. */
export type Nodes = {
  readonly count: number
  /** The node of this place; throws while it is down. */
  node(place: number): RunningPincall
  /** Places of those that are up. */
  up(): number[]
  /** Sends a request to the next node that is up, in turn. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** kill -9. */
  kill(place: number): Promise<void>
  /** SIGTERM, and waits for its end; the exit code. */
  stop(place: number): Promise<number | null>
  start(place: number): Promise<RunningPincall>
  /** What the database holds, read past the nodes. */
  store(): Promise<Store & AsyncDisposable>
  [Symbol.asyncDispose](): Promise<void>
}

export type NodesOptions = {
  databaseUrl: string
  count: number
  /** The configuration file of all nodes. */
  config: string
  /** Further environment, the same for all or by place. */
  env?: Record<string, string> | ((place: number) => Record<string, string>)
}

export const MASTER_KEY = 'c'.repeat(64)

const FIRST_PORT = 12_000
const PORTS_A_NODE = 4000

/** Starts all of them at once, as an operator's orchestrator would. */
export async function startNodes(options: NodesOptions): Promise<Nodes> {
  const { databaseUrl, count, env = {} } = options
  const home = mkdtempSync(join(tmpdir(), 'pincall-nodes-'))
  const running: (RunningPincall | undefined)[] = Array.from({ length: count })
  let turn = 0

  const startOne = (place: number): Promise<RunningPincall> => {
    const portFrom = FIRST_PORT + place * PORTS_A_NODE
    return startPincall({
      dataDir: mkdtempSync(join(home, `node-${place}-`)), // nothing but the database outlives a node
      config: `${options.config}media: { portFrom: ${portFrom}, portTo: ${portFrom + PORTS_A_NODE - 1} }\n`,
      env: {
        PINCALL_DATABASE_URL: databaseUrl,
        PINCALL_SECRET_KEY: MASTER_KEY,
        PINCALL_ACCOUNT_PASSWORD: 'a password',
        PINCALL_SANDBOX: 'off',
        ...(typeof env === 'function' ? env(place) : env),
      },
    })
  }
  const node = (place: number): RunningPincall => {
    const found = running[place]
    if (!found) throw new Error(`node ${place} is down`)
    return found
  }
  const up = () => running.flatMap((one, place) => (one ? [place] : []))
  const nodes: Nodes = {
    count,
    node,
    up,
    async call(method, path, body, headers) {
      const places = up()
      if (places.length === 0) throw new Error('no node is up')
      return node(places[turn++ % places.length]).call(method, path, body, headers)
    },
    async kill(place) {
      const ending = node(place)
      running[place] = undefined
      await ending.kill()
    },
    async stop(place) {
      const ending = node(place)
      running[place] = undefined
      return ending.stop()
    },
    async start(place) {
      const started = await startOne(place)
      running[place] = started
      return started
    },
    async store() {
      const keys = [{ id: 'k1', key: Buffer.from(MASTER_KEY, 'hex') }]
      const store = await openStore({
        databaseUrl,
        dataDir: home,
        numbers: sealedNumbers(keys),
        clock: systemClock,
        log: silentLog,
      })
      return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() })
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((one) => one?.[Symbol.asyncDispose]()))
      rmSync(home, { recursive: true, force: true })
    },
  }
  const started = await Promise.allSettled(Array.from({ length: count }, (_, place) => nodes.start(place)))
  const failed = started.find((each) => each.status === 'rejected')
  if (failed) {
    await nodes[Symbol.asyncDispose]()
    throw failed.reason
  }
  return nodes
}
