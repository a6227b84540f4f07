import { createSocket } from 'node:dgram'

/** A trunk that notes when each INVITE arrived and answers 486 at once: nothing of it stands in the way of a measurement. */
export type RefusingTrunk = {
  port: number
  /** When the first INVITE for a number arrived (performance.now of this process); rejects where none came in time. */
  invited(number: string, withinMs: number): Promise<number>
  invites: number
  close(): void
}

export async function openRefusingTrunk(): Promise<RefusingTrunk> {
  const socket = createSocket('udp4')
  const arrived = new Map<string, number>()
  const waiting = new Map<string, (at: number) => void>()
  socket.on('message', (datagram, from) => {
    const at = performance.now()
    const text = datagram.toString('latin1')
    const [, method, number] = /^(\S+) sip:\+?([^@]+)@/.exec(text) ?? []
    if (method === 'OPTIONS') socket.send(answerTo(text, '200 OK'), from.port, from.address)
    if (method !== 'INVITE') return // an ACK
    trunk.invites++
    socket.send(answerTo(text, '486 Busy Here'), from.port, from.address)
    if (arrived.has(number)) return
    arrived.set(number, at)
    waiting.get(number)?.(at)
    waiting.delete(number)
  })
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound))
  socket.setRecvBufferSize(1024 * 1024)
  const trunk: RefusingTrunk = {
    port: socket.address().port,
    invites: 0,
    invited(number, withinMs) {
      const at = arrived.get(number)
      if (at !== undefined) return Promise.resolve(at)
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`no INVITE for ${number} within ${withinMs} ms`)), withinMs)
        waiting.set(number, (when) => {
          clearTimeout(late)
          resolve(when)
        })
      })
    },
    close: () => socket.close(),
  }
  return trunk
}

/** RFC 3261 §8.2.6: Via, From, To with a tag, Call-ID and CSeq as they came. */
function answerTo(request: string, status: string): string {
  const head = request.slice(0, request.indexOf('\r\n\r\n')).split('\r\n').slice(1)
  const kept = head.filter((line) => /^(via|v|from|f|call-id|i|cseq)\s*:/i.test(line))
  const to = head.find((line) => /^(to|t)\s*:/i.test(line)) ?? ''
  const tagged = /;tag=/i.test(to) ? to : `${to};tag=refusing`
  return `SIP/2.0 ${status}\r\n${[...kept, tagged].join('\r\n')}\r\nContent-Length: 0\r\n\r\n`
}
