import { createSocket } from 'node:dgram'

/** A UDP port nobody holds on this address. */
export async function freePort(host: string): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((bound) => socket.bind(0, host, bound))
  const { port } = socket.address()
  await new Promise<void>((closed) => socket.close(() => closed()))
  return port
}
