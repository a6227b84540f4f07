import type { Clock } from '../clock.ts'
import type { SipMessage, SipRequest, SipResponse } from './message.ts'
import type { Address, SipStats } from './types.ts'

/** RFC 3261 §17.1.1.1, all from T1: an endpoint with a small T1 keeps the proportions of the standard's table 4. */
export type Times = { t1: number; t2: number; t4: number; t64: number }
export const timesOf = (t1: number): Times => ({ t1, t2: 8 * t1, t4: 10 * t1, t64: 64 * t1 })

/** What a transaction needs from below and around it. */
export type Layer = {
  readonly clock: Clock
  readonly times: Times
  readonly stats: SipStats
  send(bytes: Uint8Array, to: Address): void
  /** Finds out whether the address refuses datagrams; tells through `refused` of the transactions that wait for it. */
  probe(to: Address): void
  readonly clientTransactions: Map<string, ClientTransactionLike>
  readonly serverTransactions: Map<string, ServerTransactionLike>
}

export type ClientTransactionLike = {
  readonly request: SipRequest
  readonly target: Address
  receive(response: SipResponse): void
  refused(): void
  end(): void
}

export type ServerTransactionLike = {
  readonly request: SipRequest
  owns(request: SipRequest): boolean
  receive(request: SipRequest): void
  end(): void
}

/** A state machine as a table, to be compared with the RFC's figure: in this state, on this event, do so and go there. */
export type Table<State extends string, Event extends string, Action extends string> = Record<
  State,
  Partial<Record<Event, { act?: readonly Action[]; to?: State }>>
>

export const clientKey = (branch: string, method: string): string => `${branch} ${method}`

/** RFC 3261 §17.2.3. Without the magic cookie the peer speaks RFC 2543: what the headers say has to do. */
export function serverKey(request: SipRequest, method = request.method): string {
  const { via } = request
  const asked = method === 'ACK' ? 'INVITE' : method
  if (via.branch.startsWith('z9hG4bK')) return `${via.branch} ${via.host}:${via.port ?? ''} ${asked}`
  return `${request.callId} ${request.cseq.number} ${request.headers.get('from')} ${via.host}:${via.port ?? ''} ${asked}`
}

export const describe = (message: SipMessage): string =>
  message.kind === 'request' ? message.method : `${message.status} to ${message.cseq.method}`
