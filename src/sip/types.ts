import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Random } from '../random.ts'

/** What other rooms may say to the SIP room and hear from it. Bodies are bytes; nothing here knows media or PINs. */

export type Address = { host: string; port: number }

export type EndpointOptions = {
  /** Where to listen. Port 0 takes a free one. */
  bind: Address
  /** Host put into Via, Contact and (by the caller) SDP where it is not the bound one. */
  advertisedHost?: string
  userAgent: string
  clock: Clock
  random: Random
  log: Log
  /** T1 of RFC 3261 §17.1.1.1 in ms; T2 and T4 stay 8× and 10× it. Default 500. */
  t1Ms?: number
  /** Requests from other addresses are dropped without an answer (at a limited rate of log lines). All allowed if absent. */
  allowedPeers?: () => Iterable<Address>
}

/** A SIP user agent on one UDP socket: places calls, takes calls, answers OPTIONS. */
export type SipEndpoint = {
  readonly address: Address
  /** Starts an INVITE. Never throws for what the network does: everything is told to `handlers`. */
  invite(request: InviteRequest, handlers: CallHandlers): OutgoingCall
  /** Whom to ask about a new INVITE from outside. Without a handler it is answered 603 (Decline). */
  onInvite(handler: (call: IncomingCall) => void): void
  /** Sends OPTIONS outside a dialog; resolves with the final status, or 408 where none came. */
  ping(target: Address, options?: { timeoutMs?: number }): Promise<{ status: number; rttMs: number }>
  /** Counters since the start: for metrics and tests. */
  readonly stats: SipStats
  /** Transactions and dialogs still alive; 0 when nothing was leaked. */
  readonly pending: number
  /** Ends what is open as politely as 2 s allow (CANCEL, BYE), then closes the socket. */
  close(): Promise<void>
}

export type SipStats = {
  received: number
  sent: number
  /** Datagrams that were no SIP message, or broke its rules. */
  malformed: number
  /** Requests from addresses that are not allowed. */
  strangers: number
  retransmitted: number
}

export type InviteRequest = {
  /** Request-URI, e.g. `sip:41793026727@127.0.0.1:5070`. */
  uri: string
  /** Where the datagrams go. */
  target: Address
  from: { uri: string; displayName?: string }
  to?: { uri: string }
  credentials?: { user: string; password: string }
  headers?: readonly (readonly [name: string, value: string])[]
  body: Uint8Array
  contentType?: string // application/sdp
  /** Nothing at all came back, not even 100: give up after this (failover). Default 4000. */
  noResponseMs?: number
  /** INVITE sent to final answer: then CANCEL. Default 60000. */
  ringTimeoutMs?: number
}

/** A final answer that is no 2xx, or its absence; the causes that outcomes are made from. */
export type CallFailure = {
  /** SIP status; 408 with `local: true` where our own timer ended it. */
  status: number
  reason: string
  /** Cause of a Reason header with protocol Q.850 (RFC 3326). */
  q850?: number
  /** Why it is a failure of ours and not the far end's word. */
  local?: 'no_response' | 'ring_timeout' | 'cancelled' | 'unreachable' | 'closed'
  /** From Retry-After, where the far end sent one. */
  retryAfterS?: number
  /** A 180 or 183 had come: the phone can have rung, so nobody else may be tried. */
  rang: boolean
}

export type CallHandlers = {
  /** Each provisional answer from 101 on. `diverted` where 181, Diversion or History-Info show a diverted call. */
  onProgress?(progress: { status: number; reason: string; body: Uint8Array; diverted: boolean }): void
  /** The (first) 2xx; it has been ACKed. */
  onAnswer?(answer: { body: Uint8Array; diverted: boolean }): void
  /** The INVITE failed. Called at most once, and never after `onAnswer`. */
  onFailure?(failure: CallFailure): void
  /** The answered call ended. Called once after `onAnswer`. `by: 'us'` when hangUp's BYE was sent. */
  onEnd?(end: { by: 'them' | 'us' | 'lost'; q850?: number; reason?: string }): void
  /** The far end offers a new session (re-INVITE, UPDATE). Return the answer's body, or undefined for 488. An empty
   *  offer (re-INVITE without SDP) asks for our offer. Without this handler 488. */
  onOffer?(body: Uint8Array): Uint8Array | undefined
  /** INFO inside the call, e.g. application/dtmf-relay. */
  onInfo?(info: { contentType: string; body: Uint8Array }): void
}

export type OutgoingCall = {
  readonly callId: string
  /** Before the answer: CANCEL (as soon as the RFC allows one). After it: BYE. Safe to call at any time, many times. */
  hangUp(): void
}

export type IncomingCall = {
  readonly callId: string
  /** User part of the Request-URI. */
  readonly dialled: string
  readonly from: string
  readonly source: Address
  readonly body: Uint8Array
  header(name: string): string | undefined
  progress(status: number, reason: string, body?: Uint8Array): void
  /** 200 with the body. */
  answer(body: Uint8Array): void
  reject(status: number, reason: string, headers?: readonly (readonly [string, string])[]): void
  /** BYE after the answer; 486 before it. */
  hangUp(): void
  handlers: {
    onCancel?(): void
    /** The ACK came: the call is up. */
    onConfirmed?(): void
    onEnd?(end: { by: 'them' | 'us' | 'lost' }): void
    onInfo?(info: { contentType: string; body: Uint8Array }): void
    onOffer?(body: Uint8Array): Uint8Array | undefined
  }
}
