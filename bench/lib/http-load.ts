import { connect, type Socket } from 'node:net'
import { percentile } from './report.ts'

/**
 * Keep-alive HTTP/1.1 from a fixed number of connections, one request at a time on each. Our own, because the client
 * shares two cores with what it measures: a library's parser and queues would cost as much as the server's work, and
 * autocannon and its like draw a fixed body, while a check needs the pinId that an earlier answer gave.
 */

export type Ask = {
  /** Made by `request`. */
  bytes: string
  answered?(status: number, body: string): void
}

export type Load = {
  requests: number
  seconds: number
  perSecond: number
  p50Ms: number
  p99Ms: number
  maxMs: number
  /** How often each status was answered. */
  statuses: Record<number, number>
}

/** A POST with JSON in it, ready to be written. */
export function request(host: string, path: string, body: unknown, headers: Record<string, string> = {}): string {
  const text = JSON.stringify(body)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n${lines.join('')}\r\n${text}`
}

/** Asks until `next` has no more, and tells how fast that went. Rejects where a connection breaks. */
export async function load(url: string, connections: number, next: () => Ask | undefined): Promise<Load> {
  const { hostname, port } = new URL(url)
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(hostname, Number(port))))
  const times: number[] = []
  const statuses: Record<number, number> = {}
  const begun = performance.now()
  try {
    await Promise.all(
      sockets.map((socket) =>
        keepAsking(socket, next, (ms, status) => {
          times.push(ms)
          statuses[status] = (statuses[status] ?? 0) + 1
        }),
      ),
    )
  } finally {
    for (const socket of sockets) socket.destroy()
  }
  const seconds = (performance.now() - begun) / 1000
  const requests = times.length
  return {
    requests,
    seconds,
    perSecond: requests / seconds,
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
    maxMs: percentile(times, 1),
    statuses,
  }
}

const ANSWER_MS = 30_000

function open(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
  })
}

function keepAsking(
  socket: Socket,
  next: () => Ask | undefined,
  answered: (ms: number, status: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let asked: Ask | undefined
    let askedAt = 0
    let text = ''
    const ask = () => {
      asked = next()
      if (!asked) return resolve()
      askedAt = performance.now()
      socket.write(asked.bytes, 'latin1')
    }
    socket.setEncoding('latin1')
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('no answer within 30 s')))
    socket.on('data', (piece: string) => {
      text = text === '' ? piece : text + piece
      const answer = readAnswer(text)
      if (!answer) return
      text = ''
      answered(performance.now() - askedAt, answer.status)
      asked?.answered?.(answer.status, answer.body)
      ask()
    })
    socket.on('error', reject)
    socket.on('close', () => asked && reject(new Error(`the server closed a connection after: ${text.slice(0, 200)}`)))
    ask()
  })
}

/** A whole answer, or undefined while more must come. One request is in flight, so nothing follows it. */
export function readAnswer(text: string): { status: number; body: string } | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = text.slice(0, end + 2).toLowerCase()
  const body = text.slice(end + 4)
  const status = Number(head.slice(9, 12))
  const at = head.indexOf('\r\ncontent-length:')
  if (at !== -1) {
    const length = Number(head.slice(at + 17, head.indexOf('\r\n', at + 17)))
    return body.length >= length ? { status, body } : undefined
  }
  if (!head.includes('\r\ntransfer-encoding: chunked\r\n')) return { status, body: '' }
  return body.endsWith('0\r\n\r\n') ? { status, body: unchunk(body) } : undefined
}

function unchunk(body: string): string {
  let whole = ''
  for (let at = 0; at < body.length; ) {
    const line = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.slice(at, line), 16)
    if (!size) break
    whole += body.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
  return whole
}
