import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { percentile } from './report.ts'

/**
 * An independent witness of pacing: takes the sound of a few calls on one port, notes when each packet arrived, and sends
 * back a person's hello as a phone would. A process of its own, so that nothing else delays what it sees.
 * Usage: node listening-phone.ts <port> <hello.pcmu>. Each line on stdin is answered with what was seen since the last.
 */

const PACKET_BYTES = 160
const HEADER_BYTES = 12
const PACE_MS = 20

type Stream = { port: number; arrivals: number[]; sequences: number[]; sentFrames: number; lastMs: number }

const [port, helloPath] = [Number(process.argv[2]), process.argv[3]]
const hello = readFileSync(helloPath)
const streams = new Map<number, Stream>()
const socket = createSocket('udp4')

socket.on('message', (datagram, from) => {
  const now = performance.now()
  const ssrc = datagram.readUInt32BE(8)
  let stream = streams.get(ssrc)
  if (!stream) {
    stream = { port: from.port, arrivals: [], sequences: [], sentFrames: 0, lastMs: now }
    streams.set(ssrc, stream)
  }
  stream.arrivals.push(now)
  stream.sequences.push(datagram.readUInt16BE(2))
  stream.lastMs = now
})

const SILENT_MS = 500

let nextMs = performance.now()
function speak(): void {
  const now = performance.now()
  for (const [ssrc, stream] of streams) if (now - stream.lastMs < SILENT_MS) sendFrame(ssrc, stream)
  nextMs += PACE_MS
  setTimeout(speak, Math.max(0, nextMs - performance.now()))
}

function sendFrame(ssrc: number, stream: Stream): void {
  const frame = stream.sentFrames++
  const packet = Buffer.alloc(HEADER_BYTES + PACKET_BYTES, 0xff)
  packet[0] = 0x80
  packet[1] = frame === 0 ? 0x80 : 0
  packet.writeUInt16BE(frame & 0xffff, 2)
  packet.writeUInt32BE(frame * PACKET_BYTES, 4)
  packet.writeUInt32BE((ssrc + 1) >>> 0, 8)
  const at = Math.min(frame * PACKET_BYTES, hello.length) // after it, silence
  hello.copy(packet, HEADER_BYTES, at, at + PACKET_BYTES)
  socket.send(packet, stream.port, '127.0.0.1')
}

export type Pacing = {
  streams: number
  packets: number
  /** Sequence numbers that never came. */
  missing: number
  /** Share of gaps between neighbours within 1 ms, and 5 ms, of 20 ms. */
  within1Ms: number
  within5Ms: number
  gapP99Ms: number
  gapMaxMs: number
}

/** What was seen of all streams since the last time; gaps over a missing packet are no gaps of pacing. */
function pacing(): Pacing {
  const gaps: number[] = []
  let packets = 0
  let missing = 0
  for (const { arrivals, sequences } of streams.values()) {
    packets += arrivals.length
    for (let i = 1; i < arrivals.length; i++) {
      const step = (sequences[i] - sequences[i - 1]) & 0xffff
      if (step === 1) gaps.push(arrivals[i] - arrivals[i - 1])
      else missing += step - 1
    }
  }
  const share = (ms: number) => gaps.filter((gap) => Math.abs(gap - PACE_MS) <= ms).length / gaps.length
  const seen = {
    within1Ms: share(1),
    within5Ms: share(5),
    gapP99Ms: percentile(gaps, 0.99),
    gapMaxMs: percentile(gaps, 1),
  }
  const whole = { streams: streams.size, packets, missing, ...seen }
  streams.clear()
  return whole
}

socket.bind(port, '127.0.0.1', () => {
  socket.setRecvBufferSize(4 * 1024 * 1024)
  console.log('ready')
  speak()
})
createInterface({ input: process.stdin }).on('line', () => console.log(`seen ${JSON.stringify(pacing())}`))
process.on('SIGTERM', () => process.exit(0))
