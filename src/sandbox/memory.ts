import type { Clock } from '../clock.ts'
import { decodePcmu, encodePcmu, type Pcm } from '../media/index.ts'
import type { ArrivedCall, ArrivedMessage, ArrivedPin, PinQuery } from './types.ts'

export type Bounds = { calls: number; messages: number; audioBytes: number }

const BOUNDS: Bounds = { calls: 1000, messages: 1000, audioBytes: 64 * 1024 * 1024 }

/** What arrived in the sandbox: in memory, bounded, never on disk. The oldest makes room for the newest. */
export class Memory {
  readonly #clock: Clock
  readonly #bounds: Bounds
  /** Oldest first. */
  readonly #calls = new Map<string, ArrivedCall>()
  readonly #messages: ArrivedMessage[] = []
  /** µ-law, as telephones have it: half of what its samples would take. */
  readonly #audio = new Map<string, Uint8Array>()
  readonly #waiting = new Set<() => void>()
  #audioBytes = 0
  changes = 0

  constructor(clock: Clock, bounds: Partial<Bounds> = {}) {
    this.#clock = clock
    this.#bounds = { ...BOUNDS, ...bounds }
  }

  addMessage(message: ArrivedMessage): void {
    this.#messages.push(message)
    if (this.#messages.length > this.#bounds.messages) this.#messages.shift()
    this.changed()
  }

  /** The call's record: whoever changes it says so with `changed`. */
  addCall(call: ArrivedCall): void {
    this.#calls.set(call.callId, call)
    const [oldest] = this.#calls.keys()
    if (this.#calls.size > this.#bounds.calls && oldest !== undefined) {
      this.#calls.delete(oldest)
      this.#dropAudio(oldest)
    }
    this.changed()
  }

  keepAudio(call: ArrivedCall, sound: Pcm): void {
    if (!this.#calls.has(call.callId) || sound.length === 0) return
    const bytes = encodePcmu(sound)
    this.#audio.set(call.callId, bytes)
    this.#audioBytes += bytes.length
    call.audioMs = Math.round(sound.length / 8)
    for (const callId of this.#audio.keys()) {
      if (this.#audioBytes <= this.#bounds.audioBytes) break
      this.#dropAudio(callId)
    }
    this.changed()
  }

  audio(callId: string): Pcm | undefined {
    const bytes = this.#audio.get(callId)
    return bytes && decodePcmu(bytes)
  }

  calls(to?: string): ArrivedCall[] {
    const all = [...this.#calls.values()].reverse()
    return (to === undefined ? all : all.filter((call) => call.to === to)).map((call) => ({ ...call }))
  }

  messages(to?: string): ArrivedMessage[] {
    const all = this.#messages.toReversed()
    return (to === undefined ? all : all.filter((message) => message.to === to)).map((message) => ({ ...message }))
  }

  /** One pin a message and one a call, however often the call repeats it; newest first. */
  pins(to: string, { channel, after }: PinQuery = {}): ArrivedPin[] {
    const heard = this.calls(to).map(({ code, heardAt }) => ({ channel: 'voice' as const, to, code, at: heardAt }))
    const read = this.messages(to).map(({ code, at }) => ({ channel: 'sms' as const, to, code, at }))
    return [...heard, ...read]
      .filter((pin): pin is ArrivedPin => pin.code !== undefined && pin.at !== undefined)
      .filter((pin) => (channel === undefined || pin.channel === channel) && (after === undefined || pin.at > after))
      .toSorted((a, b) => b.at - a.at)
  }

  changed(): void {
    this.changes++
    for (const look of [...this.#waiting]) look()
  }

  /** Resolves with the first answer that `look` gives, now or after a change; with undefined after `timeoutMs`. */
  when<T>(look: () => T | undefined, timeoutMs: number, signal?: AbortSignal): Promise<T | undefined> {
    return new Promise((resolve) => {
      const finish = (answer: T | undefined) => {
        timer.cancel()
        this.#waiting.delete(lookAgain)
        signal?.removeEventListener('abort', giveUp)
        resolve(answer)
      }
      const lookAgain = () => {
        const answer = look()
        if (answer !== undefined) finish(answer)
      }
      const giveUp = () => finish(undefined)
      const timer = this.#clock.after(timeoutMs, giveUp)
      this.#waiting.add(lookAgain)
      signal?.addEventListener('abort', giveUp, { once: true })
      if (signal?.aborted) giveUp()
      else lookAgain()
    })
  }

  #dropAudio(callId: string): void {
    const bytes = this.#audio.get(callId)
    if (!bytes) return
    this.#audio.delete(callId)
    this.#audioBytes -= bytes.length
    const call = this.#calls.get(callId)
    if (call) delete call.audioMs
  }
}
