import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Codec, MediaEngine, MediaStats, Pcm, Verdict } from '../media/index.ts'
import type { Random } from '../random.ts'
import type { CallFailure, SipEndpoint } from '../sip/index.ts'

export type VoiceDeps = {
  sip: SipEndpoint
  media: MediaEngine
  /** Local address for sound, and the one that SDP shows. */
  mediaHost: string
  advertisedHost: string
  clock: Clock
  random: Random
  log: Log
}

/** Whom to call, over what, and what to say. */
export type CallOrder = {
  uri: string
  target: { host: string; port: number }
  from: { uri: string; displayName?: string }
  credentials?: { user: string; password: string }
  codecs: readonly Codec[]
  ringTimeoutMs: number
  noResponseMs: number
  prompts: { greeting: Pcm; reading: Pcm; repetition: Pcm; offerKey: Pcm; goodbye: Pcm }
  /** What proves a human: the detector (and a key where it is not sure), always a key, or the answer alone. */
  proof: 'detect' | 'keypress' | 'off'
  /** The key that `prompts.offerKey` asks for. */
  proofKey: string
  /** Keys that read the code again, e.g. `1#`; empty for none. */
  replayKeys: string
  /** Answer to our BYE at the latest. */
  longestMs: number
}

export type CallStep = 'dialling' | 'ringing' | 'answered' | 'human' | 'machine' | 'unsure' | 'reading'

export type CallHooks = {
  onStep?(step: CallStep): void
  /** The code was read to its end for the first time; the call goes on. */
  onHeard?(evidence: CallEvidence): void
  /** Ends the call as politely as possible. */
  signal?: AbortSignal
}

export type CallEnd =
  | { kind: 'failed'; failure: CallFailure }
  /** Answered, and the code was read to its end at least once. */
  | { kind: 'heard' }
  /** Answered by what is, or may be, a machine: the code was not spoken, or was cut off in time. */
  | { kind: 'machine' }
  /** Answered, but gone before the code was read. */
  | { kind: 'lost' }
  | { kind: 'no_media' }
  | { kind: 'no_common_codec' }
  /** We were told to stop. */
  | { kind: 'stopped' }

/** What can be shown to a person who asks why. Never a code; keys pressed are what the callee typed. */
export type CallEvidence = {
  sipStatus?: number
  sipReason?: string
  q850?: number
  local?: string
  rang: boolean
  diverted?: boolean
  ringMs?: number // INVITE to the first 180 or 183 (PDD)
  answerMs?: number // INVITE to the answer
  talkMs?: number // answer to the end
  verdict?: Verdict['verdict']
  verdictWhy?: string
  verdictMs?: number
  verdictConfidence?: number
  proof?: 'detector' | 'key' | 'answer'
  readings: number
  keys?: string
  endedBy?: 'them' | 'us' | 'lost'
  media?: MediaStats
}

export type CallResult = { end: CallEnd; evidence: CallEvidence }
