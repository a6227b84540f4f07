import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { PortCircle } from './ports.ts'
import type { MediaAddress } from './types.ts'

/**
 * A session's UDP socket. It is bound open, because the first packet may come from anywhere; once the source is known
 * it is connected to it: the kernel then drops strangers and sending costs less. `face(undefined)` opens it again.
 */
export type UdpPort = {
  readonly port: number
  send(packet: Uint8Array, to: MediaAddress): void
  /** Takes datagrams from this source alone; from anybody where undefined. */
  face(source: MediaAddress | undefined): void
  close(): Promise<void>
}

const MAX_BINDS = 200

type LookupCallback = (error: null, address: string, family: number) => void

/** Binds the next free even port of the circle. */
export async function openUdpPort(
  host: string,
  circle: PortCircle,
  onDatagram: (datagram: Uint8Array, from: { address: string; port: number }) => void,
): Promise<UdpPort> {
  for (let tried = 0; tried < Math.min(circle.size, MAX_BINDS); tried++) {
    const port = circle.take()
    if (port === undefined) break
    const socket = await bound(host, port).catch((error: NodeJS.ErrnoException) => {
      circle.free(port)
      if (error.code !== 'EADDRINUSE') throw error
    })
    if (!socket) continue
    socket.on('message', onDatagram)
    return udpPort(socket, port, () => circle.free(port))
  }
  throw new Error('no UDP port of the configured range is free')
}

function bound(host: string, port: number): Promise<Socket> {
  const family = isIPv6(host) ? 6 : 4
  // hosts are addresses by now (SDP refuses names): asking the resolver for each packet would cost a turn of the loop
  const lookup = (address: string, _options: unknown, callback: LookupCallback) => callback(null, address, family)
  const socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4', lookup })
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => {
      socket.close()
      reject(error)
    }
    socket.once('error', onError)
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off('error', onError)
      // ICMP refusals arrive here: the far end's port is closed. Its silence is what counts, and that is watched
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}

function udpPort(socket: Socket, port: number, freed: () => void): UdpPort {
  let facing: MediaAddress | undefined
  const opened = (error?: Error) => {
    if (error) facing = undefined
  }
  return {
    port,
    send(packet, to) {
      if (facing && facing.port === to.port && facing.host === to.host) socket.send(packet)
      else if (!facing) socket.send(packet, to.port, to.host)
    },
    face(source) {
      if (facing?.port === source?.port && facing?.host === source?.host) return
      if (facing) socket.disconnect()
      facing = source
      // the look-up is synchronous, so the socket is connected when this returns; a failure leaves it open
      if (source) socket.connect(source.port, source.host, opened)
    },
    close() {
      return new Promise((resolve) => {
        socket.close(() => {
          freed()
          resolve()
        })
      })
    },
  }
}
