import { createSocket } from 'node:dgram'

/** A wire between two UDP peers that loses what the test says; `datagram` counts from 1, both ways together. */
export type Relay = {
  host: string
  port: number
  /** First line of every datagram that was let through. */
  passed: string[]
  [Symbol.asyncDispose](): Promise<void>
}

export async function openRelay(
  far: { host: string; port: number },
  keep: (datagram: number, bytes: Buffer) => boolean,
  host = '127.0.0.4',
): Promise<Relay> {
  const socket = createSocket('udp4')
  await new Promise<void>((bound) => socket.bind(0, host, bound))
  const passed: string[] = []
  let near: { address: string; port: number } | undefined
  let count = 0
  socket.on('message', (bytes, from) => {
    const fromFar = from.address === far.host && from.port === far.port
    if (!fromFar) near = from
    if (!keep(++count, bytes)) return
    passed.push(bytes.toString('latin1').split('\r\n')[0])
    if (!fromFar) socket.send(bytes, far.port, far.host)
    else if (near) socket.send(bytes, near.port, near.address)
  })
  return {
    host,
    port: socket.address().port,
    passed,
    [Symbol.asyncDispose]: () => new Promise((closed) => socket.close(() => closed())),
  }
}
