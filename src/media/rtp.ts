/** RFC 3550 §5.1: the 12-byte header and what may stand between it and the payload. */

const FIXED_HEADER_BYTES = 12
const VERSION_2 = 0x80

export type RtpHeader = {
  marker: boolean
  payloadType: number
  sequence: number
  timestamp: number
  ssrc: number
}

export type RtpPacket = RtpHeader & { payload: Uint8Array }

/** Reads a datagram. What is not RTP gives `undefined`; nothing that a stranger can send throws. */
export function parseRtp(datagram: Uint8Array): RtpPacket | undefined {
  const length = datagram.length
  if (length < FIXED_HEADER_BYTES) return undefined
  const first = datagram[0]!
  const second = datagram[1]!
  if ((first & 0xc0) !== VERSION_2) return undefined
  let start = FIXED_HEADER_BYTES + (first & 0x0f) * 4 // CSRC list
  if (first & 0x10) {
    // §5.3.1: profile word, then the extension's length in 32-bit words
    if (start + 4 > length) return undefined
    start += 4 + uint16(datagram, start + 2) * 4
  }
  let end = length
  if (first & 0x20) {
    const padding = datagram[length - 1]!
    if (padding === 0) return undefined // the count includes itself
    end -= padding
  }
  if (start > end) return undefined
  return {
    marker: (second & 0x80) !== 0,
    payloadType: second & 0x7f,
    sequence: uint16(datagram, 2),
    timestamp: uint32(datagram, 4),
    ssrc: uint32(datagram, 8),
    payload: datagram.subarray(start, end),
  }
}

/** A fresh packet with room for the payload behind its header: libuv may keep it queued, so it is never used twice. */
export function formatRtp(header: RtpHeader, payloadBytes: number): Buffer {
  const packet = Buffer.allocUnsafe(FIXED_HEADER_BYTES + payloadBytes)
  packet[0] = VERSION_2
  packet[1] = (header.marker ? 0x80 : 0) | header.payloadType
  packet.writeUInt16BE(header.sequence, 2)
  packet.writeUInt32BE(header.timestamp, 4)
  packet.writeUInt32BE(header.ssrc, 8)
  return packet
}

export const RTP_PAYLOAD_AT = FIXED_HEADER_BYTES

/** RFC 5761 §4: with RTCP on the RTP port, its packet types 192–223 stand where RTP has marker and payload type. */
export function isRtcp(datagram: Uint8Array): boolean {
  return datagram.length >= 8 && (datagram[0]! & 0xc0) === VERSION_2 && datagram[1]! >= 192 && datagram[1]! <= 223
}

const uint16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!
const uint32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
