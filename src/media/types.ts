import type { Log } from '../log.ts'

/** What other rooms may say to the media room and hear from it. Nothing here knows SIP or PINs. */

export type Codec = 'PCMU' | 'PCMA'
export type MediaAddress = { host: string; port: number }

/** 8 kHz mono, signed 16 bit. */
export type Pcm = Int16Array

/** What an SDP offer and its answer agreed on (RFC 3264). */
export type NegotiatedAudio = {
  remote: MediaAddress
  codec: Codec
  payloadType: number
  ptimeMs: 10 | 20 | 30
  /** RFC 4733 payload type, where both know one. */
  dtmfPayloadType?: number
  /** The number the far end sends RFC 4733 with, where it differs from the one we send with. */
  dtmfReceivePayloadType?: number
  /** sendrecv from our side; `recvonly`/`inactive` where the far end holds us. */
  direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'
}

/** Human or machine, and why. A beep is an event of its own, later or earlier. */
export type Verdict = {
  verdict: 'human' | 'machine' | 'unsure'
  why:
    | 'short_greeting' // speech, then quiet
    | 'long_greeting'
    | 'long_span'
    | 'beep'
    | 'fax'
    | 'network_tone'
    | 'silence' // nobody spoke
    | 'undecided' // the time was over
    | 'second_utterance'
  /** Since the far end's first RTP packet. */
  atMs: number
  /** First voice heard, since the first packet. */
  firstSoundMs?: number
  /** 0…1 */
  confidence: number
}

export type MediaHandlers = {
  /** The far end's first packet came. */
  onStarted?(): void
  /** Once, when the detector decided; again only where a beep or a second utterance overturned `human`. */
  onVerdict?(verdict: Verdict): void
  /** A steady tone that is a mailbox's beep. */
  onBeep?(beep: { atMs: number; hz: number }): void
  /** A key was pressed, one event a press, at its start. */
  onDtmf?(press: { digit: string; source: 'rfc4733' | 'inband'; atMs: number; durationMs: number }): void
  /** Voice of the far end started or ended (after its hangover): for handsets and for barge-in. */
  onVoice?(voice: { speaking: boolean; atMs: number }): void
  /** No packet came for `inactivityMs`; again after each such time. */
  onInactive?(): void
  /** What `play` was given has gone out to the last packet (`complete`), or was stopped. */
  onPlayed?(played: { id: number; complete: boolean }): void
}

export type OpenOptions = {
  /** Local address to bind; an even port is chosen (telephony.md 22). */
  host: string
  /** Run the human-or-machine detector. Default false. */
  detect?: boolean
  /** Keep what is heard as 8 kHz PCM, at most this long, for `recording()`. Default 0: keep nothing. */
  recordMs?: number
  /** Listen for keys in the sound where RFC 4733 was not agreed. Default true. */
  inbandDtmf?: boolean
  inactivityMs?: number // default 10000
  handlers: MediaHandlers
}

/** One call's sound: a UDP port, what is played out of it, what is heard in it. Lives in a worker thread. */
export type MediaSession = {
  readonly local: MediaAddress
  /** Starts sending (silence until something is played) and listening. May be called again after a re-INVITE. */
  connect(audio: NegotiatedAudio): void
  /** Plays sound after what is already queued; returns its id for `onPlayed`. */
  play(sound: Pcm): number
  /** Drops what is being played and what waits, at once. */
  stop(): void
  /** Sends key presses (RFC 4733 where agreed, else in the sound). */
  sendDtmf(digits: string): void
  /** What was heard so far, where `recordMs` asked to keep it. Gaps of lost packets are silence. */
  recording(): Promise<Pcm>
  /** Stops, frees the port, and tells how the sound went. */
  close(): Promise<MediaStats>
}

export type MediaStats = {
  packetsSent: number
  packetsReceived: number
  packetsLost: number
  /** RFC 3550 §6.4.1, in ms. */
  jitterMs: number
  /** Packets that left more than 1 ms and more than 5 ms off their time. */
  lateOver1Ms: number
  lateOver5Ms: number
  malformed: number
}

export type MediaEngineOptions = {
  /** Worker threads; default 1. */
  workers?: number
  /** First and last UDP port; default 10000–32766. */
  ports?: { from: number; to: number }
  log: Log
}

export type MediaEngine = {
  open(options: OpenOptions): Promise<MediaSession>
  /** Sessions open now. */
  readonly sessions: number
  /** 99th percentile of the workers' event-loop delay over the last second or so, ms. */
  readonly loopDelayMs: number
  close(): Promise<void>
}

/** SDP, an audio subset of RFC 8866, with offer/answer of RFC 3264. Functions are exported by `media/index.ts`:
 *  - `makeOffer({ local, codecs, ptimeMs, sessionId, sessionVersion }): Uint8Array`
 *  - `readAnswer(offer: Uint8Array, answer: Uint8Array): NegotiatedAudio | SdpRefusal`
 *  - `answerOffer(offer: Uint8Array, { local, codecs, sessionId, sessionVersion }): { answer: Uint8Array; audio: NegotiatedAudio } | SdpRefusal`
 */
export type SdpRefusal = { refused: 'malformed' | 'no_audio' | 'no_common_codec' | 'rejected'; detail: string }
