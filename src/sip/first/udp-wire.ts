import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Wire } from './core.ts'
import type { Address } from '../types.ts'

/** One UDP socket. Send errors (no route, port closed) are not fatal: timers decide what silence means. */
export function openUdpWire(
  bind: Address,
  receive: (bytes: Buffer, from: Address) => void,
  onError: (error: Error) => void,
): Promise<Wire> {
  const socket = createSocket({
    type: isIPv6(bind.host) ? 'udp6' : 'udp4',
    recvBufferSize: 4 * 1024 * 1024,
    sendBufferSize: 1024 * 1024,
  })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(bind.port, bind.host, () => {
      socket.off('error', reject)
      socket.on('error', onError)
      socket.on('message', (bytes, { address, port }) => receive(bytes, { host: address, port }))
      resolve({
        local: { host: bind.host, port: socket.address().port },
        send: (bytes, to) => socket.send(bytes, to.port, to.host, ignore),
        close: () => new Promise((closed) => socket.close(() => closed())),
      })
    })
  })
}

const ignore = () => {}
