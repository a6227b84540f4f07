import type { Agent } from './agent.ts'
import { ClientTransaction } from './client-transaction.ts'
import type { Dialog } from './dialog.ts'
import type { Authenticator } from './digest.ts'
import { formatMessage, type SipResponse } from './message.ts'
import { ALLOW } from './responses.ts'

export type Question = {
  method: 'BYE' | 'PRACK' | 'UPDATE' | 'INVITE'
  headers?: readonly (readonly [name: string, value: string])[]
  body?: Uint8Array
}

/** What came of a request: its final answer, or why there is none. */
export type Final = SipResponse | 'timeout' | 'unreachable'

/**
 * Sends a request inside a dialog and tells the final answer, once. A challenge is met like that of the INVITE; the
 * 2xx to a re-INVITE are ACKed here, each of them.
 */
export function ask(
  agent: Agent,
  dialog: Dialog,
  auth: Authenticator,
  question: Question,
  onFinal: (final: Final) => void,
  tried = new Set<string>(),
): void {
  const { method, headers = [], body } = question
  const [request, target] = dialog.request(agent, method, body ? { body } : {})
  if (method !== 'BYE') request.headers.add('contact', agent.contact).add('allow', ALLOW)
  for (const [name, value] of headers) request.headers.add(name, value)
  for (const [name, value] of auth.headersFor(method, request.uri, request.body)) request.headers.add(name, value)
  if (body?.length) request.headers.add('content-type', 'application/sdp')
  request.headers.add('user-agent', agent.userAgent)
  let ack: [Uint8Array, { host: string; port: number }] | undefined
  new ClientTransaction(agent, request, target, {
    onTimeout: () => onFinal('timeout'),
    onUnreachable: () => onFinal('unreachable'),
    onResponse(response) {
      if (response.status < 200) return
      if (ack) return agent.send(...ack) // a repeated 2xx
      const challenged = response.status === 401 || response.status === 407
      if (challenged && auth.take(response, tried)) return ask(agent, dialog, auth, question, onFinal, tried)
      if (response.status < 300 && method !== 'BYE' && method !== 'PRACK') dialog.refreshTarget(response)
      if (response.status < 300 && method === 'INVITE') {
        const [message, to] = dialog.request(agent, 'ACK', { cseq: request.cseq.number })
        ack = [formatMessage(message), to]
        agent.send(...ack)
      }
      onFinal(response)
    },
  })
}
