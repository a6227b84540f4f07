import { type Agent, newBranch, newTag, type OpenCall } from './agent.ts'
import { ClientTransaction } from './client-transaction.ts'
import { localFailure } from './failure.ts'
import { RequestDesk } from './incoming-request.ts'
import { clientKey, describe, timesOf } from './layer.ts'
import { limitedLog } from './limited-log.ts'
import { isKeepAlive, type Malformed, parseMessage, type SipResponse } from './message.ts'
import { UacCall } from './outgoing-call.ts'
import { makeRequest } from './requests.ts'
import { statelessAnswer } from './responses.ts'
import { toWire } from './text.ts'
import type { Address, EndpointOptions, OutgoingCall, SipEndpoint } from './types.ts'
import { openUdp, type Wire, type WireUser } from './udp.ts'
import { hostText, sameAddress } from './uri.ts'

/** How long `close` waits for the far ends to say goodbye. */
const GOODBYE_MS = 2000
/** RFC 3261 §18.1.1 wants TCP for larger requests; here they go by UDP, and the log counts them. */
const DATAGRAM_BYTES = 1300

export async function openSipEndpoint(options: EndpointOptions): Promise<SipEndpoint> {
  const wire = await openUdp(options.bind, options.clock)
  const endpoint = makeEndpoint(options, wire)
  wire.user = endpoint
  return endpoint
}

/** The endpoint on any wire: what it is made of, and which way a datagram takes through it. */
export function makeEndpoint(options: EndpointOptions, wire: Wire): SipEndpoint & WireUser {
  const { clock, log, random } = options
  const say = limitedLog(log, clock)
  const stats = { received: 0, sent: 0, malformed: 0, strangers: 0, retransmitted: 0 }
  const sentBy = `${hostText(options.advertisedHost ?? wire.local.host)}:${wire.local.port}`
  let onIdle: (() => void) | undefined
  let closed: Promise<void> | undefined

  const agent: Agent = {
    clock,
    log,
    random,
    stats,
    times: timesOf(options.t1Ms ?? 500),
    userAgent: toWire(options.userAgent),
    sentBy,
    contact: `<sip:pincall@${sentBy}>`,
    clientTransactions: new Map(),
    serverTransactions: new Map(),
    dialogs: new Map(),
    calls: new Set(),
    send(bytes, to) {
      stats.sent++
      if (bytes.length > DATAGRAM_BYTES)
        say('large', { bytes: bytes.length }, 'a SIP message is larger than 1,300 bytes')
      wire.send(bytes, to)
    },
    probe: (to) => wire.probe?.(to),
    over(call) {
      agent.calls.delete(call)
      if (agent.calls.size === 0) onIdle?.()
    },
    allows(address) {
      if (!options.allowedPeers) return true
      for (const peer of options.allowedPeers()) if (sameAddress(peer, address)) return true
      return false
    },
    tell(handler) {
      try {
        return handler()
      } catch (error) {
        log.error({ err: error }, 'a handler of a SIP call failed')
        return undefined
      }
    },
  }

  const desk = new RequestDesk(agent, (request, source) => {
    stats.strangers++
    say('stranger', { source, method: request.method }, 'a SIP request from an address that is no peer was dropped')
  })

  function handle(bytes: Uint8Array, source: Address): void {
    stats.received++
    if (isKeepAlive(bytes)) return
    const message = parseMessage(bytes)
    switch (message.kind) {
      case 'malformed':
        return onMalformed(message, source)
      case 'request':
        return desk.receive(message, source)
      case 'response':
        return onResponse(message)
    }
  }

  function onMalformed({ why, status, request }: Malformed, source: Address): void {
    stats.malformed++
    say('malformed', { source, why }, 'a datagram was no SIP message')
    if (!request || request.method === 'ACK' || !agent.allows(source)) return
    const parts = { status, reason: status === 505 ? 'Version Not Supported' : 'Bad Request', toTag: newTag(random) }
    agent.send(...statelessAnswer(request, source, parts))
  }

  /** RFC 3261 §18.1.2: an answer finds its transaction by branch and method; what finds none is dropped. */
  function onResponse(response: SipResponse): void {
    const transaction = agent.clientTransactions.get(clientKey(response.via.branch, response.cseq.method))
    const ours = transaction?.request.callId === response.callId && response.headers.list('via').length === 1 // §8.1.3.3: only our Via
    if (ours) transaction.receive(response)
    else log.debug({ what: describe(response) }, 'a SIP response without a transaction was dropped')
  }

  async function close(): Promise<void> {
    desk.closing = true
    for (const call of agent.calls) call.close()
    if (agent.calls.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = clock.after(GOODBYE_MS, resolve)
        onIdle = () => {
          timer.cancel()
          resolve()
        }
      })
    }
    dropAll(agent)
    await wire.close()
  }

  return {
    receive(bytes, source) {
      try {
        handle(bytes, source)
      } catch (error) {
        stats.malformed++ // whatever a datagram can do to us, it ends here
        say('failed', { source, err: error }, 'a SIP message could not be handled')
      }
    },
    refused(by) {
      for (const transaction of agent.clientTransactions.values()) {
        if (sameAddress(transaction.target, by)) transaction.refused()
      }
    },
    address: wire.local,
    stats,
    get pending() {
      return agent.clientTransactions.size + agent.serverTransactions.size + agent.dialogs.size
    },
    invite(request, handlers): OutgoingCall {
      if (!closed) return new UacCall(agent, request, handlers)
      queueMicrotask(() => agent.tell(() => handlers.onFailure?.(localFailure('closed', false))))
      return { callId: random.hex(16), hangUp() {} }
    },
    onInvite(handler) {
      desk.onInvite = handler
    },
    ping: (target, { timeoutMs = 5000 } = {}) => ping(agent, target, timeoutMs),
    close() {
      closed ??= close()
      return closed
    },
  }
}

/** OPTIONS outside a dialog (RFC 3261 §11). Whatever comes back shows that somebody is there. */
function ping(agent: Agent, target: Address, timeoutMs: number): Promise<{ status: number; rttMs: number }> {
  const begun = agent.clock.monotonic()
  const { random, sentBy } = agent
  const uri = `sip:${hostText(target.host)}:${target.port}`
  const from = `<sip:pincall@${sentBy}>;tag=${newTag(random)}`
  const request = makeRequest({
    method: 'OPTIONS',
    uri,
    sentBy,
    branch: newBranch(random),
    from,
    to: `<${uri}>`,
    callId: random.hex(16),
    cseq: 1,
  })
  request.headers.add('contact', agent.contact).add('accept', 'application/sdp').add('user-agent', agent.userAgent)
  return new Promise((resolve) => {
    const done = (status: number) => {
      timer.cancel()
      resolve({ status, rttMs: agent.clock.monotonic() - begun })
    }
    const timer = agent.clock.after(timeoutMs, () => {
      transaction.end()
      done(408)
    })
    const transaction = new ClientTransaction(agent, request, target, {
      onResponse: (response) => response.status >= 200 && done(response.status),
      onTimeout: () => done(408),
      onUnreachable: () => done(408),
    })
  })
}

function dropAll(agent: Agent): void {
  for (const call of [...agent.calls] satisfies OpenCall[]) call.drop()
  for (const transaction of [...agent.clientTransactions.values()]) transaction.end()
  for (const transaction of [...agent.serverTransactions.values()]) transaction.end()
  agent.dialogs.clear()
}
