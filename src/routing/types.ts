import type { Codec } from '../media/index.ts'
import type { Micros } from '../money.ts'

/** A configured SIP peering. */
export type Trunk = {
  name: string
  host: string
  port: number
  user?: string
  password?: string
  /** How the number is written in the Request-URI: `plus` → `+4179…`, `digits` → `4179…`. */
  numberFormat: 'plus' | 'digits'
  codecs: Codec[]
  ringTimeoutMs: number
  noResponseMs: number
  /** Calls begun in any second, and calls up at once, over all nodes together: held by the store. */
  callsPerSecond: number
  concurrency: number
}

/** One line of the operator's routing table: where numbers of a prefix may go, and for how much. */
export type RouteRule = {
  /** Leading digits of the MSISDN; empty for all numbers. The longest that fits is used. */
  prefix: string
  trunks: string[]
  pricePerMinute: Micros
  incrementS: number
  /** The number presented. */
  caller: string
}

/** One way to a number: what an attempt is made over. */
export type Route = { trunk: Trunk; caller: string; pricePerMinute: Micros; incrementS: number }

export type Network = { country: string; kind: string }
