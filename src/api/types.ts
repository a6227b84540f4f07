import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Events } from '../events/index.ts'
import type { Log } from '../log.ts'
import type { Random } from '../random.ts'
import type { Store } from '../store/types.ts'
import type { Verification } from '../verification/types.ts'
import type { Guard } from './guard.ts'
import type { Logins } from './logins.ts'

/** What the wire needs of the rooms below it; `server.ts` hands it over. */
export type ApiDeps = {
  clock: Clock
  random: Random
  log: Log
  store: Pick<
    Store,
    | 'findLogin'
    | 'createKey'
    | 'findKey'
    | 'createSession'
    | 'useSession'
    | 'deleteSession'
    | 'findDelivery'
    | 'attemptsOf'
    | 'balance'
  >
  verification: Verification
  events: Pick<Events, 'after' | 'lastSeq' | 'onEvent' | 'onProgress'>
  /** How long version 1 holds a voice request open for its outcome. */
  callWaitMs: number
  readiness(): { ready: boolean; reason?: string }
  /** What /metrics shows; the wire adds its own histogram to it. */
  registry: Registry
  /** Addresses or CIDR blocks whose X-Forwarded-For is believed. None by default: a key's allowedIPs then mean the peer. */
  trustedProxies?: string[]
}

/** The dependencies, and what the room has made of them: each operation gets this. */
export type Wire = ApiDeps & {
  guard: Guard
  logins: Logins
  /** Aborted when the server closes: open streams end then. */
  closing: AbortSignal
}

/** Fastify, with types taken from the schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

export const VERSIONS = [1, 2] as const
export type Version = (typeof VERSIONS)[number]

/** Who asks: made once per key and shared by its requests, so nothing may change it. */
export type Caller = {
  readonly accountId: string
  readonly by: 'key' | 'password' | 'session' | 'oauth'
  readonly scopes: ReadonlySet<string>
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the guard of the operation; reading it in an operation without one is a mistake of ours. */
    caller: Caller
  }
}
