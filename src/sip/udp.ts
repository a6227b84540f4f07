import { createSocket, type Socket } from 'node:dgram'
import { lookup as dnsLookup, type LookupOneOptions } from 'node:dns'
import { once } from 'node:events'
import { isIP } from 'node:net'
import type { Clock } from '../clock.ts'
import type { Address } from './types.ts'

/** What carries datagrams: a UDP socket, or in a test a piece of string. */
export type Wire = {
  readonly local: Address
  send(bytes: Uint8Array, to: Address): void
  /** Finds out whether the address refuses datagrams; the endpoint's `refused` is told. */
  probe?(to: Address): void
  close(): Promise<void>
}

/** Who hears what comes over the wire. */
export type WireUser = { receive(bytes: Uint8Array, from: Address): void; refused(by: Address): void }

/** Room for what arrives while the event loop is busy: some 4,000 messages. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
const PROBE_MS = 2000
/** Errors that pass by themselves: the transaction's timers send again. */
const PASSING = new Set(['EAGAIN', 'ENOBUFS', 'EWOULDBLOCK', 'EINTR'])
/** Two empty lines mean nothing to a SIP peer (RFC 5626 §3.5.1), but make a closed port say so. */
const NOTHING = Buffer.from('\r\n\r\n')

export async function openUdp(bind: Address, clock: Clock): Promise<Wire & { user: WireUser | undefined }> {
  const type = isIP(bind.host) === 6 ? 'udp6' : 'udp4'
  const socket = createSocket({ type, lookup: lookupAddress })
  const listening = once(socket, 'listening') // with a lookup that answers at once it is told during `bind`
  socket.bind({ address: bind.host, port: bind.port, exclusive: true })
  await listening
  const { port } = socket.address()
  grow(socket)
  const probes = new Map<string, Socket>()
  let open = true

  const wire: Wire & { user: WireUser | undefined } = {
    local: { host: bind.host, port },
    user: undefined,
    send(bytes, to) {
      if (!open) return
      socket.send(bytes, to.port, to.host, (error) => {
        if (open && error && !PASSING.has(codeOf(error))) wire.user?.refused(to)
      })
    },
    // An unconnected socket is not told of ICMP errors; a connected one for a moment is cheaper than one for each peer.
    probe(to) {
      const key = `${to.host} ${to.port}`
      if (!open || probes.has(key)) return
      const probe = createSocket({ type, lookup: lookupAddress })
      const done = () => {
        timer.cancel()
        if (probes.delete(key)) probe.close()
      }
      const timer = clock.after(PROBE_MS, done)
      probes.set(key, probe)
      probe.on('error', (error) => {
        done()
        if (open && codeOf(error) === 'ECONNREFUSED') wire.user?.refused(to)
      })
      probe.unref()
      probe.connect(to.port, to.host, () => probe.send(NOTHING))
    },
    async close() {
      open = false
      for (const probe of probes.values()) probe.close()
      probes.clear()
      const closed = once(socket, 'close')
      socket.close()
      await closed
    },
  }
  socket.on('message', (bytes, from) => wire.user?.receive(bytes, { host: from.address, port: from.port }))
  socket.on('error', () => {}) // what a send could not do is told to its callback
  return wire
}

function grow(socket: Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES)
  } catch {
    // the kernel's own size does too, with less room for bursts
  }
}

/** Targets are addresses nearly always: they need no resolver, and no turn of the event loop. */
function lookupAddress(
  host: string,
  options: LookupOneOptions,
  done: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  const family = isIP(host)
  if (family) done(null, host, family)
  else dnsLookup(host, options, done)
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : '')
