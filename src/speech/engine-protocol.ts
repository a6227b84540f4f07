import type { Recording } from './engine-process.ts'

export type EngineAnswer = { id: number } & ({ error: string } | { recording: Recording })

const LONGEST_HEADER = 4096
/** Two minutes at 48 kHz: more than any engine of ours sends. */
const MOST_SAMPLES = 120 * 48_000

/** Cuts an engine's stdout, whatever its chunks, into answers: a line of JSON, then as much audio as it says. */
export class AnswerReader {
  readonly #onAnswer: (answer: EngineAnswer) => void
  #chunks: Buffer[] = []
  #length = 0
  #audio: { id: number; sampleRate: number; bytes: number } | undefined

  constructor(onAnswer: (answer: EngineAnswer) => void) {
    this.#onAnswer = onAnswer
  }

  /** False where these bytes are not the protocol. */
  push(bytes: Buffer): boolean {
    this.#chunks.push(bytes)
    this.#length += bytes.length
    for (;;) {
      if (this.#audio) {
        if (this.#length < this.#audio.bytes) return true
        const { id, sampleRate, bytes } = this.#audio
        const audio = this.#take(bytes)
        this.#audio = undefined
        this.#onAnswer({ id, recording: { sampleRate, samples: samplesOf(audio) } })
      } else {
        const end = this.#joined().indexOf(10)
        if (end === -1) return this.#length <= LONGEST_HEADER
        if (!this.#header(this.#take(end + 1).toString())) return false
      }
    }
  }

  #header(line: string): boolean {
    const header = parse(line)
    if (typeof header?.id !== 'number') return false
    const { id, error, sampleRate, samples } = header
    if (typeof error === 'string') {
      this.#onAnswer({ id, error })
      return true
    }
    if (typeof sampleRate !== 'number' || !(sampleRate >= 8000 && sampleRate <= 48_000)) return false
    if (typeof samples !== 'number' || !Number.isInteger(samples) || samples < 0 || samples > MOST_SAMPLES) return false
    this.#audio = { id, sampleRate, bytes: samples * 2 }
    return true
  }

  #joined(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] ?? Buffer.alloc(0)
  }

  #take(count: number): Buffer {
    const whole = this.#joined()
    this.#chunks = count < whole.length ? [whole.subarray(count)] : []
    this.#length -= count
    return whole.subarray(0, count)
  }
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** Little endian, as the protocol has it, into numbers of their own: the buffer may be at an odd place. */
function samplesOf(audio: Buffer): Int16Array {
  const samples = new Int16Array(audio.length / 2)
  for (let index = 0; index < samples.length; index++) samples[index] = audio.readInt16LE(index * 2)
  return samples
}
