import { Worker } from 'node:worker_threads'
import type { FromWorker, OpenSession, ToWorker, WorkerSettings } from './protocol.ts'
import { SessionProxy } from './session.ts'
import type { MediaEngine, MediaEngineOptions, MediaSession, OpenOptions } from './types.ts'

/**
 * Media workers and the sessions in them. A worker that dies takes its calls' sound with it, never the process: each of
 * its sessions hears `onPlayed` (not complete) and `onInactive` at once, gives an empty recording and stats of zero, and
 * a new worker takes the place for the calls to come.
 */

const DEFAULT_PORTS = { from: 10_000, to: 32_766 }
const DEFAULT_INACTIVITY_MS = 10_000
/** From source Node runs the worker's TypeScript, from `dist` its JavaScript. */
const WORKER_URL = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

export async function openMediaEngine(options: MediaEngineOptions, workerUrl: URL = WORKER_URL): Promise<MediaEngine> {
  const shares = options.workers ?? 1
  const ports = options.ports ?? DEFAULT_PORTS
  checkOptions(shares, ports)
  const crews = Array.from({ length: shares }, (_, share) => new Crew({ ports, share, shares }, options.log, workerUrl))
  try {
    await Promise.all(crews.map((crew) => crew.ready()))
  } catch (error) {
    await Promise.all(crews.map((crew) => crew.close()))
    throw error
  }
  let closed = false
  return {
    async open(opening) {
      if (closed) throw new Error('the media engine is closed')
      const crew = crews.reduce((least, other) => (other.size < least.size ? other : least))
      return crew.open(opening)
    },
    get sessions() {
      return crews.reduce((sum, crew) => sum + crew.size, 0)
    },
    get loopDelayMs() {
      return Math.max(...crews.map((crew) => crew.loopDelayMs))
    },
    async close() {
      closed = true
      await Promise.all(crews.map((crew) => crew.close()))
    },
  }
}

function checkOptions(workers: number, ports: { from: number; to: number }): void {
  if (!Number.isInteger(workers) || workers < 1) throw new RangeError('workers: a whole number from 1 on')
  const isPort = (port: number) => Number.isInteger(port) && port >= 1 && port <= 65535
  if (!isPort(ports.from) || !isPort(ports.to) || ports.to - ports.from < 2 * workers) {
    throw new RangeError('ports: two of 1–65535 with room for an even port and the odd one above it for each worker')
  }
}

type Opening = { resolve(session: MediaSession): void; reject(error: Error): void; options: OpenOptions }

/** One worker, its successor when it dies, and the sessions in it. */
class Crew {
  readonly #settings: WorkerSettings
  readonly #log: MediaEngineOptions['log']
  readonly #workerUrl: URL
  readonly #openings = new Map<number, Opening>()
  readonly #sessions = new Map<number, SessionProxy>()
  #worker: Worker | undefined
  #ready: Promise<void> | undefined
  #lastSession = 0
  #closing = false
  loopDelayMs = 0

  constructor(settings: WorkerSettings, log: MediaEngineOptions['log'], workerUrl: URL) {
    this.#settings = settings
    this.#log = log
    this.#workerUrl = workerUrl
  }

  get size(): number {
    return this.#sessions.size + this.#openings.size
  }

  /** The worker is started where there is none. Rejects where it can not start; the next call tries again. */
  ready(): Promise<void> {
    this.#ready ??= this.#start()
    return this.#ready
  }

  async open(options: OpenOptions): Promise<MediaSession> {
    await this.ready()
    if (!this.#worker) throw new Error('the media worker is not running') // it ended just now
    const id = ++this.#lastSession
    return new Promise((resolve, reject) => {
      this.#openings.set(id, { resolve, reject, options })
      this.#send({ type: 'open', session: id, options: openSession(options) })
    })
  }

  async close(): Promise<void> {
    this.#closing = true
    await Promise.all([...this.#sessions.values()].map((session) => session.close()))
    await this.#worker?.terminate()
  }

  #start(): Promise<void> {
    const worker = new Worker(this.#workerUrl, {
      name: `media-${this.#settings.share}`,
      workerData: this.#settings,
      execArgv: [], // the program's own flags (--input-type, --test …) are not the worker's
    })
    this.#worker = worker
    return new Promise((resolve, reject) => {
      let wasReady = false
      worker.on('message', (message: FromWorker) => {
        if (message.type === 'ready') {
          wasReady = true
          resolve()
        } else this.#hear(message)
      })
      worker.on('error', (error) => {
        this.#log.error({ err: error, worker: this.#settings.share }, 'a media worker failed')
        reject(error)
      })
      worker.on('exit', (status) => {
        reject(new Error(`the media worker ended with status ${status}`))
        this.#died(wasReady)
      })
    })
  }

  /** A worker that had worked gets a successor at once; one that could not even start, at the next `open`. */
  #died(wasReady: boolean): void {
    this.#worker = undefined
    this.#ready = undefined
    this.loopDelayMs = 0
    for (const [id, opening] of this.#openings) {
      this.#openings.delete(id)
      opening.reject(new Error('the media worker ended while the session was opened'))
    }
    for (const session of [...this.#sessions.values()]) session.lost()
    if (this.#closing || !wasReady) return
    this.#log.warn({ worker: this.#settings.share }, 'a media worker ended; its calls are silent, a new one starts')
    this.ready().catch(() => {}) // logged above; `open` tries again and tells its caller
  }

  #hear(message: FromWorker): void {
    if (message.type === 'delay') this.loopDelayMs = message.p99Ms
    else if (message.type === 'fault') this.#fault(message)
    else if (message.type === 'session') {
      const { session: id, says } = message
      if (says.type === 'opened') this.#opened(id, says.port)
      else if (says.type === 'refused') this.#refused(id, says.sentence)
      else this.#sessions.get(id)?.hear(says)
    }
  }

  #opened(id: number, port: number): void {
    const opening = this.#takeOpening(id)
    if (!opening) return
    const { host, handlers } = opening.options
    const session = new SessionProxy({
      local: { host, port },
      handlers,
      session: id,
      send: (message, transfer) => this.#send(message, transfer),
      gone: () => this.#sessions.delete(id),
      handlerFailed: (error) => this.#log.error({ err: error }, 'a handler of a media session threw'),
    })
    this.#sessions.set(id, session)
    opening.resolve(session)
    if (this.#closing) void session.close()
  }

  #refused(id: number, sentence: string): void {
    this.#takeOpening(id)?.reject(new Error(sentence))
  }

  #fault(message: Extract<FromWorker, { type: 'fault' }>): void {
    this.#log.error({ session: message.session, sentence: message.sentence }, 'a media session failed')
    this.#refused(message.session, message.sentence)
    this.#sessions.get(message.session)?.lost()
  }

  #takeOpening(id: number): Opening | undefined {
    const opening = this.#openings.get(id)
    this.#openings.delete(id)
    return opening
  }

  #send(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker?.postMessage(message, transfer)
  }
}

function openSession(options: OpenOptions): OpenSession {
  return {
    host: options.host,
    detect: options.detect ?? false,
    voice: options.handlers.onVoice !== undefined,
    inbandDtmf: (options.inbandDtmf ?? true) && options.handlers.onDtmf !== undefined,
    recordMs: options.recordMs ?? 0,
    inactivityMs: options.inactivityMs ?? DEFAULT_INACTIVITY_MS,
  }
}
