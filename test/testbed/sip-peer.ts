import { ManualClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { seededRandom } from '../../src/random.ts'
import {
  type CallFailure,
  type CallHandlers,
  type EndpointOptions,
  formatMessage,
  header,
  headerValues,
  type InviteRequest,
  makeEndpoint,
  parseMessage,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../src/sip/index.ts'

export const NEAR = { host: '127.0.0.1', port: 5060 }
export const FAR = { host: '127.0.0.2', port: 5060 }

/** A user agent whose far end is the test: it sees every message that leaves, and says what arrives. */
export function scriptPeer(change: Partial<EndpointOptions> = {}) {
  const clock = new ManualClock()
  const sent: { message: SipMessage; to: { host: string; port: number } }[] = []
  const endpoint = makeEndpoint(
    { bind: NEAR, userAgent: 'test', clock, random: seededRandom('sip'), log: silentLog, ...change },
    {
      local: NEAR,
      send(bytes, to) {
        const message = parseMessage(bytes)
        if (message.kind === 'malformed') throw new Error(`we sent a malformed message: ${message.why}`)
        sent.push({ message, to })
      },
      close: async () => {},
    },
  )
  const heard = {
    progress: [] as number[],
    answers: [] as string[],
    failures: [] as CallFailure[],
    ends: [] as string[],
  }
  const handlers: CallHandlers = {
    onProgress: ({ status }) => heard.progress.push(status),
    onAnswer: ({ body }) => heard.answers.push(Buffer.from(body).toString()),
    onFailure: (failure) => heard.failures.push(failure),
    onEnd: ({ by }) => heard.ends.push(by),
  }
  const peer = {
    clock,
    endpoint,
    sent,
    heard,
    invite: (asked: Partial<InviteRequest> = {}, more: Partial<CallHandlers> = {}) =>
      endpoint.invite(
        {
          uri: 'sip:41793026727@127.0.0.2',
          target: FAR,
          from: { uri: 'sip:p@127.0.0.1' },
          body: Buffer.from('offer'),
          ...asked,
        },
        { ...handlers, ...more },
      ),
    /** Requests of a method that left, in order. */
    requests: (method: string): SipRequest[] =>
      sent
        .map(({ message }) => message)
        .filter((message): message is SipRequest => message.kind === 'request' && message.method === method),
    responses: (method: string): SipResponse[] =>
      sent
        .map(({ message }) => message)
        .filter(
          (message): message is SipResponse => message.kind === 'response' && header(message, 'cseq')!.endsWith(method),
        ),
    receive: (message: SipMessage, from = FAR) => endpoint.receive(formatMessage(message), from),
    /** Answers the last request of a method (the last INVITE by default). */
    respond(
      status: number,
      options: { to?: SipRequest; tag?: string; headers?: [string, string][]; body?: string } = {},
    ) {
      const request = options.to ?? peer.requests('INVITE').at(-1)!
      peer.receive(responseOf(request, status, options))
    },
  }
  return peer
}

export function responseOf(
  request: SipRequest,
  status: number,
  options: { tag?: string; headers?: [string, string][]; body?: string } = {},
): SipResponse {
  const copied = (name: string) => headerValues(request, name).map((value): [string, string] => [name, value])
  const to = header(request, 'to')!
  const tagged = status > 100 && !to.includes('tag=') ? `${to};tag=${options.tag ?? 'far'}` : to
  const contact: [string, string][] = options.headers?.some(([name]) => name === 'contact')
    ? []
    : [['contact', '<sip:callee@127.0.0.2:5099>']]
  const headers: [string, string][] = [
    ...copied('via'),
    ...copied('from'),
    ['to', tagged],
    ...copied('call-id'),
    ...copied('cseq'),
    ...contact,
    ...(options.headers ?? []),
  ]
  return { kind: 'response', status, reason: 'Reason', headers, body: Buffer.from(options.body ?? '') }
}

/** A request from the far end, outside or inside a dialog. */
export function requestOf(method: string, uri: string, headers: Record<string, string>, body = ''): SipRequest {
  const all = {
    via: `SIP/2.0/UDP 127.0.0.2:5060;rport;branch=z9hG4bK${method}${headers.cseq ?? 1}${headers['call-id'] ?? ''}`,
    from: '<sip:far@127.0.0.2>;tag=far',
    to: '<sip:near@127.0.0.1>',
    'call-id': 'far-call',
    cseq: `1 ${method}`,
    contact: '<sip:far@127.0.0.2:5060>',
    'max-forwards': '70',
    ...headers,
  }
  return { kind: 'request', method, uri, headers: Object.entries(all), body: Buffer.from(body) }
}
