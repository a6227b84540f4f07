import type { Codec, Pcm } from './types.ts'

/**
 * G.711: 8 kHz speech as one byte a sample. Both directions are a table look-up; the tables are made once, from the
 * recommendation's own arithmetic (table 1/G.711 for A-law, 2/G.711 for µ-law).
 */

const ULAW_BIAS = 0x84
const ULAW_CLIP = 32635
const ALAW_EVEN_BITS = 0x55 // A-law inverts the even bits on the wire

function ulawSample(byte: number): number {
  const code = ~byte & 0xff
  const exponent = (code >> 4) & 7
  const magnitude = ((((code & 0x0f) << 3) + ULAW_BIAS) << exponent) - ULAW_BIAS
  return code & 0x80 ? -magnitude : magnitude
}

function ulawByte(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(Math.abs(sample), ULAW_CLIP) + ULAW_BIAS
  const exponent = 31 - Math.clz32(magnitude) - 7
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f
  return ~(sign | (exponent << 4) | mantissa) & 0xff
}

function alawSample(byte: number): number {
  const code = byte ^ ALAW_EVEN_BITS
  const exponent = (code >> 4) & 7
  const mantissa = ((code & 0x0f) << 4) + 8
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1)
  return code & 0x80 ? magnitude : -magnitude
}

function alawByte(sample: number): number {
  const sign = sample >= 0 ? 0x80 : 0
  const magnitude = Math.min(sample >= 0 ? sample : -sample - 1, 32767)
  const exponent = magnitude < 256 ? 0 : 31 - Math.clz32(magnitude) - 7
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 0x0f
  return (sign | (exponent << 4) | mantissa) ^ ALAW_EVEN_BITS
}

function encodingTable(byteOf: (sample: number) => number): Uint8Array {
  const table = new Uint8Array(65536)
  for (let sample = -32768; sample < 32768; sample++) table[sample & 0xffff] = byteOf(sample)
  return table
}

const ENCODE: Record<Codec, Uint8Array> = { PCMU: encodingTable(ulawByte), PCMA: encodingTable(alawByte) }
const DECODE: Record<Codec, Int16Array> = {
  PCMU: Int16Array.from({ length: 256 }, (_, byte) => ulawSample(byte)),
  PCMA: Int16Array.from({ length: 256 }, (_, byte) => alawSample(byte)),
}

/** What a silent line carries, sample by sample. */
export const SILENCE_BYTE: Record<Codec, number> = { PCMU: 0xff, PCMA: 0xd5 }

/** Encodes `count` samples from `pcm[from]` on into `bytes[at]` on: the pacer's way, which writes into the packet. */
export function encodeInto(codec: Codec, pcm: Pcm, from: number, count: number, bytes: Uint8Array, at: number): void {
  const table = ENCODE[codec]
  for (let index = 0; index < count; index++) bytes[at + index] = table[pcm[from + index]! & 0xffff]!
}

function encode(codec: Codec, pcm: Pcm): Uint8Array {
  const bytes = new Uint8Array(pcm.length)
  encodeInto(codec, pcm, 0, pcm.length, bytes, 0)
  return bytes
}

/** One sample a byte, into `pcm`, which has room for them. */
export function decodeInto(codec: Codec, bytes: Uint8Array, pcm: Pcm): Pcm {
  const table = DECODE[codec]
  for (let index = 0; index < bytes.length; index++) pcm[index] = table[bytes[index]!]!
  return pcm
}

const decode = (codec: Codec, bytes: Uint8Array): Pcm => decodeInto(codec, bytes, new Int16Array(bytes.length))

export const encodePcmu = (pcm: Pcm): Uint8Array => encode('PCMU', pcm)
export const encodePcma = (pcm: Pcm): Uint8Array => encode('PCMA', pcm)
export const decodePcmu = (bytes: Uint8Array): Pcm => decode('PCMU', bytes)
export const decodePcma = (bytes: Uint8Array): Pcm => decode('PCMA', bytes)
