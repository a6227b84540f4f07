import { Worker } from 'node:worker_threads'
import type { Log } from '../log.ts'
import type { Sound, VoiceChoice } from '../speech/types.ts'
import type { SandboxSpeech } from './types.ts'

/** What was understood of a stretch of sound. */
export type Understood = { code?: string; confidence?: number; key?: string }

export type Vocabulary = { name: string; characters: Map<string, Sound[]>; keys: Map<string, Sound[]> }
export type ToListener =
  | { type: 'learn'; vocabulary: Vocabulary }
  | { type: 'forget'; name: string }
  | { type: 'listen'; id: number; sound: Sound; names: string[]; wantsKey: boolean }
export type FromListener = { id: number; understood: Understood }

type Options = { log: Log; speech: SandboxSpeech; languagesSpoken: () => readonly VoiceChoice[] }

const CHARACTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'
/** Voices kept with their sounds, and those that are tried on one stretch of sound. */
const VOICES_KNOWN = 16
const VOICES_TRIED = 8
/** From source Node runs the worker's TypeScript, from `dist` its JavaScript. */
const WORKER_URL = new URL(
  import.meta.url.endsWith('.ts') ? './hearing-worker.ts' : './hearing-worker.js',
  import.meta.url,
)

/**
 * The ears of all handsets: sound is compared with the characters as calls speak them, in a worker thread, one stretch
 * after the other. Nothing here knows a code before it was heard.
 */
export class Hearing {
  readonly #options: Options
  readonly #listening = new Map<number, (understood: Understood) => void>()
  /** Sounds being fetched or known, the longest unused first. */
  readonly #vocabularies = new Map<string, Promise<boolean>>()
  /** Resolved by `close`: whoever waits for a voice's sounds need not wait any longer. */
  readonly #deaf = Promise.withResolvers<string[]>()
  #worker: Worker | undefined
  #lastId = 0
  #closed = false

  constructor(options: Options) {
    this.#options = options
  }

  /** Gets the sounds of the voices in use, so that listening need not wait for them. */
  async prepare(): Promise<string[]> {
    const voices = this.#options.languagesSpoken().slice(0, VOICES_TRIED)
    const known = await Promise.all((voices.length > 0 ? voices : [ENGLISH]).map((voice) => this.#learn(voice)))
    return known.filter((name) => name !== undefined)
  }

  async listen(sound: Sound, wantsKey: boolean): Promise<Understood> {
    if (this.#closed || sound.length === 0) return {}
    const names = await Promise.race([this.prepare(), this.#deaf.promise])
    if (this.#closed || names.length === 0) return {}
    const id = ++this.#lastId
    return new Promise((resolve) => {
      this.#listening.set(id, resolve)
      this.#tell({ type: 'listen', id, sound, names, wantsKey })
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#deaf.resolve([])
    const worker = this.#worker
    this.#forgetAll()
    await worker?.terminate()
  }

  async #learn(voice: VoiceChoice): Promise<string | undefined> {
    const name = JSON.stringify([voice.language, voice.voiceName ?? '', voice.speechRate ?? 1])
    const known = this.#vocabularies.get(name) ?? this.#fetch(name, voice)
    this.#vocabularies.delete(name) // to the end: it is in use
    this.#vocabularies.set(name, known)
    const [oldest] = this.#vocabularies.keys()
    if (this.#vocabularies.size > VOICES_KNOWN && oldest !== undefined) {
      this.#vocabularies.delete(oldest)
      this.#tell({ type: 'forget', name: oldest })
    }
    return (await known) ? name : undefined
  }

  async #fetch(name: string, voice: VoiceChoice): Promise<boolean> {
    const { speech, log } = this.#options
    try {
      const characters = await speech.clips(voice, CHARACTERS)
      const keys = await offersOf(speech, voice)
      this.#tell({ type: 'learn', vocabulary: { name, characters, keys } })
      return true
    } catch (error) {
      this.#vocabularies.delete(name) // to be tried again with the next call
      if (!this.#closed) log.warn({ err: error, language: voice.language }, 'handsets do not understand a voice')
      return false
    }
  }

  #tell(message: ToListener): void {
    if (this.#closed) return
    this.#worker ??= this.#start()
    this.#worker.postMessage(message)
  }

  #start(): Worker {
    const worker = new Worker(WORKER_URL)
    worker.unref()
    worker.on('message', ({ id, understood }: FromListener) => {
      this.#listening.get(id)?.(understood)
      this.#listening.delete(id)
    })
    worker.on('error', (error) => this.#options.log.error({ err: error }, 'the sandbox lost its hearing'))
    worker.on('exit', () => this.#forgetAll())
    return worker
  }

  /** The next sentence finds a new worker, which learns everything again. */
  #forgetAll(): void {
    this.#worker = undefined
    this.#vocabularies.clear()
    for (const resolve of this.#listening.values()) resolve({})
    this.#listening.clear()
  }
}

const ENGLISH: VoiceChoice = { language: 'en' }

/** How a call asks for each key: the sentences of ten calls that nobody places. */
async function offersOf(speech: SandboxSpeech, voice: VoiceChoice): Promise<Map<string, Sound[]>> {
  const offers = new Map<string, Sound[]>()
  for (const proofKey of '0123456789') {
    const { offerKey } = await speech.prepare({ ...voice, text: '{{pin}}', filled: [], code: '0', proofKey })
    offers.set(proofKey, [offerKey])
  }
  return offers
}
