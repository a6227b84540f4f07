import { type ChildProcess, spawn } from 'node:child_process'
import type { Clock, Timer } from '../clock.ts'
import type { Log } from '../log.ts'
import { AnswerReader, type EngineAnswer } from './engine-protocol.ts'
import { SpeechFailed } from './types.ts'

export type Utterance = { voice: string; rate: number; pitch?: number; text: string; fault?: boolean }
export type Recording = { sampleRate: number; samples: Int16Array }

/** `program` says which file to run; it throws where the engine is not installed. */
type Options = { name: string; program: () => string; log: Log; clock: Clock; timeoutMs?: number; maxWaiting?: number }
type Asked = {
  utterance: Utterance
  sends: number
  timer: Timer
  resolve(recording: Recording): void
  reject(error: SpeechFailed): void
}

/** Crashes in a row after which the engine is left alone for a while, so that a broken one costs no spawn per phrase. */
const CRASHES_TO_REST = 4
const REST_MS = 10_000
/** A request that was under way when its process died is sent once more: the next process may be luckier. */
const MAX_SENDS = 2
const STDERR_KEPT = 400

/**
 * One speech engine in a process of its own: started with the first request, started again after a crash. Requests go out
 * one at a time, so a crash is always that of the request in hand, and the others only wait a little longer.
 */
export class EngineProcess {
  readonly #options: Required<Options>
  readonly #waiting: Asked[] = []
  #current: Asked | undefined
  #child: ChildProcess | undefined
  #nextId = 1
  #crashes = 0
  #restUntil = 0
  #closed = false

  constructor(options: Options) {
    this.#options = { timeoutMs: 10_000, maxWaiting: 256, ...options }
  }

  get name(): string {
    return this.#options.name
  }

  /** Of the running process, where there is one. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  speak(utterance: Utterance): Promise<Recording> {
    const { clock, timeoutMs, maxWaiting, name } = this.#options
    if (this.#closed) return Promise.reject(new SpeechFailed(`${name} was closed.`))
    if (clock.monotonic() < this.#restUntil) return Promise.reject(new SpeechFailed(`${name} keeps crashing.`))
    if (this.#waiting.length >= maxWaiting) return Promise.reject(new SpeechFailed(`${name} has too much to say.`))
    return new Promise((resolve, reject) => {
      const asked: Asked = {
        utterance,
        sends: 0,
        resolve,
        reject,
        timer: clock.after(timeoutMs, () => this.#late(asked)),
      }
      this.#waiting.push(asked)
      this.#sendNext()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    const child = this.#child
    this.#failAll(`${this.name} was closed.`)
    if (!child) return
    const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
    child.kill('SIGKILL') // it keeps nothing that could be lost
    await gone
  }

  #sendNext(): void {
    if (this.#current || this.#closed) return
    const next = this.#waiting.shift()
    if (!next) return
    this.#current = next
    next.sends++
    this.#child ??= this.#start()
    this.#child?.stdin?.write(`${JSON.stringify({ id: this.#nextId, ...next.utterance })}\n`)
  }

  #start(): ChildProcess | undefined {
    const { program, log } = this.#options
    try {
      return this.#run(program())
    } catch (error) {
      log.error({ engine: this.name, reason: String(error) }, 'a speech engine can not be started')
      this.#failAll(`${this.name} is not installed.`)
      return undefined
    }
  }

  #run(program: string): ChildProcess {
    // The environment holds keys of ours that are no business of an engine.
    const { PATH, SystemRoot } = process.env
    const child = spawn(process.execPath, [program], {
      stdio: 'pipe',
      env: { ...(PATH && { PATH }), ...(SystemRoot && { SystemRoot }) },
    })
    const reader = new AnswerReader((answer) => this.#answered(child, answer))
    let lastWords = ''
    child.stdout.on('data', (bytes: Buffer) => {
      if (!reader.push(bytes)) child.kill('SIGKILL') // not our protocol: nothing after it can be trusted
    })
    child.stderr.on('data', (bytes: Buffer) => {
      lastWords = (lastWords + bytes.toString()).slice(0, STDERR_KEPT)
    })
    child.stdin.on('error', () => {}) // a broken pipe is followed by the end of the process, which is handled
    child.on('error', () => {}) // so is a program that could not be started
    child.once('close', (status, signal) => this.#ended(child, { status, signal, lastWords }))
    return child
  }

  #answered(child: ChildProcess, answer: EngineAnswer): void {
    if (child !== this.#child || !this.#current) return
    if (answer.id !== this.#nextId) return void child.kill('SIGKILL')
    const asked = this.#take()
    this.#crashes = 0
    if ('error' in answer) asked?.reject(new SpeechFailed(`${this.name}: ${answer.error}.`))
    else asked?.resolve(answer.recording)
    this.#sendNext()
  }

  #ended(child: ChildProcess, how: { status: number | null; signal: string | null; lastWords: string }): void {
    if (child !== this.#child) return
    this.#child = undefined
    if (this.#closed) return
    this.#options.log.warn({ engine: this.name, ...how }, 'a speech engine ended')
    if (++this.#crashes >= CRASHES_TO_REST) {
      this.#restUntil = this.#options.clock.monotonic() + REST_MS
      this.#crashes = 0
      this.#failAll(`${this.name} keeps crashing.`)
      return
    }
    const asked = this.#current
    if (asked && asked.sends < MAX_SENDS) {
      this.#current = undefined
      this.#waiting.unshift(asked)
    } else {
      this.#take()?.reject(new SpeechFailed(`${this.name} crashed.`))
    }
    this.#sendNext()
  }

  /** Too late is too late, whether it waited or is in hand; an engine that hangs is ended. */
  #late(asked: Asked): void {
    const failed = new SpeechFailed(`${this.name} did not answer in time.`)
    if (asked === this.#current) {
      this.#take()
      asked.reject(failed)
      this.#child?.kill('SIGKILL')
      return
    }
    const place = this.#waiting.indexOf(asked)
    if (place === -1) return
    this.#waiting.splice(place, 1)
    asked.reject(failed)
  }

  #take(): Asked | undefined {
    const asked = this.#current
    asked?.timer.cancel()
    this.#current = undefined
    this.#nextId++
    return asked
  }

  #failAll(sentence: string): void {
    for (const asked of [this.#take(), ...this.#waiting.splice(0)]) {
      asked?.timer.cancel()
      asked?.reject(new SpeechFailed(sentence))
    }
  }
}
