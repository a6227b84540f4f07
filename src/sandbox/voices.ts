import type { Log } from '../log.ts'
import type { Pcm } from '../media/index.ts'
import type { SandboxSpeech } from './types.ts'

export type Utterance = 'hello' | 'long_greeting' | 'mailbox'

const TEXTS: Record<Utterance, string> = {
  hello: 'Hello?',
  long_greeting: 'Good morning, this is Smith and partners in Zurich, Anna Miller speaking, how can I help you today?',
  mailbox: 'Hello. You have reached the mailbox of this number. Please leave a message after the tone.',
}

/** What handsets say, in a person's voice, made once. A person whose voice cannot be made stays silent. */
export class Voices {
  readonly #speech: SandboxSpeech
  readonly #log: Log
  readonly #made = new Map<Utterance, Promise<Pcm>>()
  #closed = false

  constructor(speech: SandboxSpeech, log: Log) {
    this.#speech = speech
    this.#log = log
  }

  /** Makes everything ahead of the first call. */
  async warm(): Promise<void> {
    for (const utterance of Object.keys(TEXTS) as Utterance[]) {
      if (!this.#closed) await this.say(utterance)
    }
  }

  close(): void {
    this.#closed = true
  }

  say(utterance: Utterance): Promise<Pcm> {
    const known = this.#made.get(utterance) ?? this.#make(utterance)
    this.#made.set(utterance, known)
    return known
  }

  async #make(utterance: Utterance): Promise<Pcm> {
    try {
      return await this.#speech.say({ language: 'en', voiceName: 'rms' }, TEXTS[utterance])
    } catch (error) {
      this.#made.delete(utterance)
      if (!this.#closed) this.#log.warn({ err: error }, 'a sandbox handset has no voice')
      return new Int16Array(0)
    }
  }
}

const BEEP_HZ = 1000
const BEEP_MS = 400
const BEEP_AMPLITUDE = 8000
const EDGE_SAMPLES = 40

/** The tone after which a mailbox records. */
export function beep(): Pcm {
  const length = BEEP_MS * 8
  return Int16Array.from({ length }, (_, at) => {
    const edge = Math.min(1, at / EDGE_SAMPLES, (length - 1 - at) / EDGE_SAMPLES)
    return Math.round(BEEP_AMPLITUDE * edge * Math.sin((2 * Math.PI * BEEP_HZ * at) / 8000))
  })
}

export const pause = (ms: number): Pcm => new Int16Array(ms * 8)
