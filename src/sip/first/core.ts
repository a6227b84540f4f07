import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { Random } from '../../random.ts'
import { hostPort } from './addresses.ts'
import { type ClientHandlers, ClientTransaction } from './client-transaction.ts'
import { formatMessage, type Header, type SipMessage, type SipRequest, type SipResponse } from './message.ts'
import type { ServerTransaction } from './server-transaction.ts'
import type { Timers } from './timers.ts'
import type { Address, SipStats } from '../types.ts'

/** Bytes in and out: UDP in the program, a scripted wire in tests. */
export type Wire = {
  readonly local: Address
  send(bytes: Buffer, to: Address): void
  close(): Promise<void>
}

/** Who answers for a dialog: gets each request that arrives inside it. */
export type DialogOwner = {
  onRequest(request: SipRequest, transaction: ServerTransaction): void
  /** The ACK to a 2xx of ours. */
  onAck(request: SipRequest): void
}

/** What calls need of the endpoint: transactions, dialogs, and the values that every message carries. */
export class Core {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly timers: Timers
  readonly userAgent: string
  readonly contact: string
  readonly stats: SipStats = { received: 0, sent: 0, malformed: 0, strangers: 0, retransmitted: 0 }
  readonly clients = new Map<string, ClientTransaction>()
  readonly servers = new Map<string, ServerTransaction>()
  readonly dialogs = new Map<string, DialogOwner>()
  readonly #wire: Wire
  readonly #via: string

  constructor(
    wire: Wire,
    advertised: Address,
    rest: { clock: Clock; random: Random; log: Log; timers: Timers; userAgent: string },
  ) {
    this.#wire = wire
    this.clock = rest.clock
    this.random = rest.random
    this.log = rest.log
    this.timers = rest.timers
    this.userAgent = rest.userAgent
    this.#via = `SIP/2.0/UDP ${hostPort(advertised)};rport;branch=`
    this.contact = `<sip:pincall@${hostPort(advertised)}>`
  }

  /** Starts a client transaction; the Via with a new branch is put on top. */
  request(request: SipRequest, to: Address, handlers: ClientHandlers, branch = this.branch()): ClientTransaction {
    const key = `${branch} ${request.method}`
    const headers: Header[] = [['via', this.#via + branch], ...request.headers, ['user-agent', this.userAgent]]
    const transaction = new ClientTransaction(
      branch,
      { ...request, headers },
      {
        clock: this.clock,
        timers: this.timers,
        send: (bytes, again) => this.transmit(bytes, to, again),
        ended: () => this.clients.delete(key),
      },
      handlers,
    )
    this.clients.set(key, transaction)
    return transaction
  }

  /** A request without a transaction: the ACK to a 2xx. Returns it as bytes, to be sent again for each repeated 2xx. */
  ack(request: SipRequest): Buffer {
    return formatMessage({ ...request, headers: [['via', this.#via + this.branch()], ...request.headers] })
  }

  transmit(bytes: Buffer, to: Address, again = false): void {
    this.stats.sent++
    if (again) this.stats.retransmitted++
    this.#wire.send(bytes, to)
  }

  send(message: SipMessage, to: Address): void {
    this.transmit(formatMessage(message), to)
  }

  branch = (): string => `z9hG4bK${this.random.hex(8)}`
  tag = (): string => this.random.hex(6)
}

/** A response with the headers that every response copies from its request (RFC 3261 §8.2.6). */
export function responseTo(
  request: SipRequest,
  status: number,
  reason: string,
  options: { toTag?: string; headers?: readonly Header[]; body?: Uint8Array } = {},
): SipResponse {
  const headers: Header[] = []
  for (const [name, value] of request.headers) {
    if (name === 'via' || name === 'from' || name === 'call-id' || name === 'cseq') headers.push([name, value])
    else if (name === 'record-route' && status < 300) headers.push([name, value])
    else if (name === 'to')
      headers.push([name, options.toTag && !/;\s*tag=/i.test(value) ? `${value};tag=${options.toTag}` : value])
  }
  headers.push(...(options.headers ?? []))
  return { kind: 'response', status, reason, headers, body: options.body ?? new Uint8Array(0) }
}

export const dialogKey = (callId: string, localTag: string): string => `${callId} ${localTag}`

export const ALLOW: Header = ['allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK']
export const SDP = 'application/sdp'

/** Q.850 cause of a Reason header (RFC 3326). */
export function q850Of(values: readonly string[]): number | undefined {
  for (const value of values) {
    const match = /^\s*Q\.850\s*;.*?\bcause\s*=\s*(\d{1,3})/i.exec(value)
    if (match) return Number(match[1])
  }
  return undefined
}
