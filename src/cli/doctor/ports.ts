import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type Finding, fail, ok, type Patient, reasonOf, warn } from './types.ts'

/** Where the system takes ports for outgoing traffic from, on Linux (ip_local_port_range). */
const EPHEMERAL = { from: 32_768, to: 60_999 }
/** Ports of the range that are tried; all of them would be thousands. */
const SAMPLE = 32

export async function checkHttpPort({ settings, running }: Patient): Promise<Finding[]> {
  const { host, port } = settings.http
  if (running) return [ok('HTTP port', `${running} is served by a running Pincall`)]
  if (port === 0) return [ok('HTTP port', 'any free one')]
  const server = createServer()
  try {
    server.listen({ host, port, exclusive: true })
    await once(server, 'listening')
    return [ok('HTTP port', `${host}:${port} is free`)]
  } catch (error) {
    const saw = `${host}:${port} cannot be used (${reasonOf(error)})`
    return [fail('HTTP port', saw, todoFor(error, 'PINCALL_HTTP_PORT', 'PINCALL_HTTP_HOST'))]
  } finally {
    server.close()
  }
}

export async function checkSipPort({ settings, running }: Patient): Promise<Finding[]> {
  const { host, port } = settings.sip
  const error = await bindError(host, port)
  if (!error) return [ok('SIP port', port === 0 ? `any free one on ${host}` : `${host}:${port} is free (UDP)`)]
  if (running && reasonOf(error) === 'EADDRINUSE') {
    return [ok('SIP port', `${host}:${port} is in use, as it is while Pincall runs`)]
  }
  const saw = `${host}:${port} cannot be used (${reasonOf(error)})`
  return [fail('SIP port', saw, todoFor(error, 'sip.port in the configuration file', 'sip.host'))]
}

/** Even ports carry sound. A sample is bound; a running server holds some of them, and that is well. */
export async function checkMediaPorts({ settings }: Patient): Promise<Finding[]> {
  const { from, to } = settings.media
  const first = from + (from % 2)
  const pairs = Math.floor((to - first) / 2) + 1
  const step = Math.max(1, Math.floor(pairs / SAMPLE))
  const sample = Array.from({ length: Math.ceil(pairs / step) }, (_, i) => first + 2 * i * step)
  const errors = await Promise.all(sample.map((port) => bindError(settings.sip.host, port)))
  const failed = errors.filter((error) => error !== undefined)
  const range = `${from}–${to} (UDP)`
  if (failed.length === sample.length) {
    const todo = 'Name another range in media.portFrom and media.portTo of the configuration file.'
    return [fail('RTP ports', `none of ${range} can be used (${reasonOf(failed[0])})`, todo)]
  }
  if (failed.length * 4 > sample.length) {
    const saw = `${failed.length} of ${sample.length} tried in ${range} are taken`
    return [warn('RTP ports', saw, 'Name a range that nothing else uses in media.portFrom and media.portTo.')]
  }
  if (pairs < settings.calls.concurrency) {
    const saw = `${range} has room for ${pairs} calls, and ${settings.calls.concurrency} are allowed at once`
    return [warn('RTP ports', saw, 'Widen media.portFrom to media.portTo, or lower calls.concurrency.')]
  }
  if (to >= EPHEMERAL.from && from <= EPHEMERAL.to) {
    const saw = `${range} lies where the system takes ports from for outgoing traffic`
    return [warn('RTP ports', saw, `Keep below ${EPHEMERAL.from}, so that nothing takes a port away under a call.`)]
  }
  return [ok('RTP ports', `${range} can be used, for ${pairs} calls at once`)]
}

async function bindError(host: string, port: number): Promise<unknown> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  try {
    socket.bind({ address: host, port, exclusive: true })
    await once(socket, 'listening')
    return undefined
  } catch (error) {
    return error
  } finally {
    socket.close()
  }
}

function todoFor(error: unknown, portSetting: string, hostSetting: string): string {
  switch (reasonOf(error)) {
    case 'EADDRINUSE':
      return `Another program has it: stop that, or set ${portSetting}.`
    case 'EACCES':
      return `Ports below 1024 are the system administrator’s: set ${portSetting} to a higher one.`
    default:
      return `Set ${hostSetting} to an address of this machine.`
  }
}
