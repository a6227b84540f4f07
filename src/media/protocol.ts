import type { Heard } from './hearing.ts'
import type { MediaStats, NegotiatedAudio, Pcm } from './types.ts'

/** What the main thread and a media worker say to each other, by MessagePort. Sessions are named by a number. */

export type OpenSession = {
  host: string
  detect: boolean
  voice: boolean
  inbandDtmf: boolean
  recordMs: number
  inactivityMs: number
}

export type ToWorker =
  | { type: 'open'; session: number; options: OpenSession }
  | { type: 'connect'; session: number; audio: NegotiatedAudio }
  | { type: 'play'; session: number; id: number; pcm: Pcm }
  | { type: 'stop'; session: number }
  | { type: 'press'; session: number; keys: string }
  | { type: 'record'; session: number; request: number }
  | { type: 'close'; session: number }

export type FromSession =
  | { type: 'opened'; port: number }
  | { type: 'refused'; sentence: string }
  | { type: 'started' }
  | Exclude<Heard, { type: 'key' }>
  | { type: 'dtmf'; digit: string; source: 'rfc4733' | 'inband'; atMs: number; durationMs: number }
  | { type: 'inactive' }
  | { type: 'played'; id: number; complete: boolean }
  | { type: 'recorded'; request: number; pcm: Pcm }
  | { type: 'closed'; stats: MediaStats; pcm: Pcm }

export type FromWorker =
  | { type: 'ready' }
  | { type: 'delay'; p99Ms: number }
  | { type: 'fault'; session: number; sentence: string }
  | { type: 'session'; session: number; says: FromSession }

export type WorkerSettings = { ports: { from: number; to: number }; share: number; shares: number }
