import type { Log } from '../log.ts'
import type { Random } from '../random.ts'
import type { Layer } from './layer.ts'
import type { SipRequest } from './message.ts'
import type { ServerTransaction } from './server-transaction.ts'
import type { Address } from './types.ts'

/** What a call needs from its endpoint: the transaction layer, our own names, and the lists it is entered in. */
export type Agent = Layer & {
  readonly log: Log
  readonly random: Random
  readonly userAgent: string
  /** Sent-by of our Vias: advertised host and port. */
  readonly sentBy: string
  /** Value of our Contact headers. */
  readonly contact: string
  /** Call-ID, our tag, their tag → who receives the requests of that dialog. */
  readonly dialogs: Map<string, DialogUser>
  /** Calls that are not over: `close` ends them. */
  readonly calls: Set<OpenCall>
  /** A call is over for good. */
  over(call: OpenCall): void
  /** Whether we talk to this address at all. */
  allows(address: Address): boolean
  /** Calls the user's handler; a mistake in it is logged and stays there. */
  tell<T>(handler: () => T): T | undefined
}

export type OpenCall = {
  /** Ends the call as its protocol wants. */
  close(): void
  /** Forgets it at once. */
  drop(): void
}

export type DialogUser = {
  receive(request: SipRequest, transaction: ServerTransaction): void
  /** The ACK to a 2xx is no transaction's: it comes to the dialog. */
  acknowledged(request: SipRequest): void
}

export const dialogKey = (callId: string, localTag: string, remoteTag: string): string =>
  `${callId} ${localTag} ${remoteTag}`

export const newBranch = (random: Random): string => `z9hG4bK${random.hex(10)}`
export const newTag = (random: Random): string => random.hex(8)
