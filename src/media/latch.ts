import type { MediaAddress } from './types.ts'

/**
 * Whose packets are taken, and where ours go (symmetric RTP, RFC 4961 and 7362 §4). The address of the SDP is trusted
 * at once. Behind a NAT the true source is another: it is taken after a few packets in order, as long as nobody else
 * talks, and only so often in a call. While the latched source talks, everybody else is a stranger.
 */

/** RFC 3550 §A.1 asks for two in sequence from a new source; a stranger's luck should cost it one more. */
const PROBATION_PACKETS = 3
const MAX_SWITCHES = 4
/** A source that has said nothing for so long may be replaced. */
export const SILENT_MS = 1000

export type Arrival = { host: string; port: number; ssrc: number; sequence: number; nowMs: number }

export class Latch {
  #expected: MediaAddress
  /** Where the far end truly sends from, once known. */
  source: MediaAddress | undefined
  #lastMs = Number.NEGATIVE_INFINITY
  #switches = 0
  #candidate: { host: string; port: number; ssrc: number; sequence: number; count: number } | undefined

  constructor(expected: MediaAddress) {
    this.#expected = expected
  }

  /** Where our packets go. */
  get target(): MediaAddress {
    return this.source ?? this.#expected
  }

  isSilent(nowMs: number): boolean {
    return nowMs - this.#lastMs > SILENT_MS
  }

  /** Whether the packet is the far end's. */
  admits(arrival: Arrival): boolean {
    if (this.source ? isFrom(this.source, arrival) : isFrom(this.#expected, arrival)) return this.#take(arrival)
    if (this.source && !this.isSilent(arrival.nowMs)) return false
    if (isFrom(this.#expected, arrival)) return this.#take(arrival) // it has been signalled: it may always come back
    if (this.#switches >= MAX_SWITCHES || !this.#proven(arrival)) return false
    this.#switches++
    return this.#take(arrival)
  }

  #take(arrival: Arrival): true {
    if (!this.source || !isFrom(this.source, arrival)) this.source = { host: arrival.host, port: arrival.port }
    this.#candidate = undefined
    this.#lastMs = arrival.nowMs
    return true
  }

  #proven(arrival: Arrival): boolean {
    const before = this.#candidate
    const continues =
      before !== undefined &&
      isFrom(before, arrival) &&
      before.ssrc === arrival.ssrc &&
      ((arrival.sequence - before.sequence) & 0xffff) === 1
    const count = continues ? before.count + 1 : 1
    const { host, port, ssrc, sequence } = arrival
    this.#candidate = { host, port, ssrc, sequence, count }
    return count >= PROBATION_PACKETS
  }
}

const isFrom = (address: MediaAddress, arrival: { host: string; port: number }): boolean =>
  address.port === arrival.port && address.host === arrival.host
