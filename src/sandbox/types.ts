import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Random } from '../random.ts'
import type { Speech, VoiceChoice } from '../speech/types.ts'

/** What the sandbox needs of the speech room: voices for its people, and what calls sound like, to compare with. */
export type SandboxSpeech = Pick<Speech, 'say' | 'clips' | 'prepare'>

export type SandboxOptions = {
  clock: Clock
  random: Random
  log: Log
  speech: SandboxSpeech
  /** Loopback address of the carrier and its sound. */
  host: string
  /** Languages and voices that people here understand: those that calls are spoken in lately. Default: English. */
  languagesSpoken?: () => readonly VoiceChoice[]
  /** How long a phone rings before somebody answers. Default 500. */
  ringMs?: number
}

export type Channel = 'voice' | 'sms'

/** A code that arrived at a number, as its owner got to know it: read in a text, or heard in a call. */
export type ArrivedPin = { channel: Channel; to: string; code: string; at: number }

export type ArrivedMessage = {
  messageId: string
  to: string
  from: string
  text: string
  /** Found in the text alone. */
  code?: string
  at: number
}

/** One call as its handset lived it. Times are milliseconds since 1970. */
export type ArrivedCall = {
  callId: string
  to: string
  from: string
  trunk: string
  /** The handset's name. */
  handset: string
  startedAt: number
  ringingAt?: number
  answeredAt?: number
  endedAt?: number
  /** The final SIP status that the handset gave. */
  status?: number
  endedBy?: 'caller' | 'handset' | 'lost'
  /** Pressed by the handset. */
  keys: string
  /** Heard in the sound of the call alone; how sure the handset is, 0–1, and when it had understood. */
  code?: string
  confidence?: number
  heardAt?: number
  /** Length of the kept sound; absent where none was received or it had to make room. */
  audioMs?: number
}

export type PinQuery = { channel?: Channel; after?: number }

export type Sandbox = {
  /** One carrier behind two SIP addresses, so that failover and "every trunk refuses" are real. */
  readonly trunks: readonly { name: string; host: string; port: number }[]
  /** Takes a text message, as an SMS gateway would. */
  receiveSms(sms: { to: string; from: string; text: string }): void
  /** Codes that arrived at a number, newest first. */
  pins(to: string, query?: PinQuery): ArrivedPin[]
  /** Calls to a number, or to all, newest first. */
  calls(to?: string): ArrivedCall[]
  messages(to?: string): ArrivedMessage[]
  /** What the handset received, as a WAV file; undefined for calls unknown, unanswered, going on or long gone. */
  audio(callId: string): Uint8Array | undefined
  /** Resolves once whoever is called at a number has understood the sentence that is being said, or after `timeoutMs`. */
  settled(to: string, timeoutMs: number): Promise<void>
  /** The newest code at a number that came after `after` (default: any), waiting for it; rejects where none comes. */
  waitForPin(to: string, options?: PinQuery & { timeoutMs?: number; signal?: AbortSignal }): Promise<ArrivedPin>
  /** Grows with everything that arrives or changes. */
  readonly changes: number
  /** Resolves with `changes` once it is no longer `seen`, or after `timeoutMs`. */
  whenChanged(seen: number, timeoutMs: number, signal?: AbortSignal): Promise<number>
  /** Whether speech has to fail for calls to this number. */
  speechFault(to: string): boolean
  close(): Promise<void>
}
