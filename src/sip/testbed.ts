import { ManualClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { seededRandom } from '../random.ts'
import { makeEndpoint } from './endpoint.ts'
import { formatMessage, type Header, headerValues, parseMessage, type SipMessage, type SipRequest } from './message.ts'
import type { CallFailure, CallHandlers, EndpointOptions, InviteRequest } from './types.ts'

/** For the room's tests: a far end that is the test itself, and messages to feed it with. */
export const NEAR = { host: '127.0.0.1', port: 5060 }
export const FAR = { host: '127.0.0.2', port: 5070 }

export type Sent = { message: SipMessage; to: { host: string; port: number }; atMs: number }

export function farEnd(change: Partial<EndpointOptions> = {}) {
  const clock = new ManualClock()
  const sent: Sent[] = []
  const probed: string[] = []
  const options = { bind: NEAR, userAgent: 'test', clock, random: seededRandom('sip'), log: silentLog, ...change }
  const endpoint = makeEndpoint(options, {
    local: NEAR,
    send(bytes, to) {
      const message = parseMessage(bytes)
      if (message.kind === 'malformed') throw new Error(`we sent something malformed: ${message.why}`)
      sent.push({ message, to, atMs: clock.monotonic() })
    },
    probe: (to) => void probed.push(`${to.host}:${to.port}`),
    close: async () => {},
  })
  const heard = {
    progress: [] as string[],
    answers: [] as string[],
    failures: [] as CallFailure[],
    ends: [] as string[],
  }
  const handlers: CallHandlers = {
    onProgress: ({ status, diverted }) => heard.progress.push(`${status}${diverted ? ' diverted' : ''}`),
    onAnswer: ({ body, diverted }) => heard.answers.push(`${Buffer.from(body)}${diverted ? ' diverted' : ''}`),
    onFailure: (failure) => heard.failures.push(failure),
    onEnd: ({ by }) => heard.ends.push(by),
  }
  const requests = (method: string): SipRequest[] => {
    const all = sent.map(({ message }) => message)
    return all.filter((message) => message.kind === 'request').filter((message) => message.method === method)
  }
  return {
    clock,
    endpoint,
    sent,
    probed,
    heard,
    requests,
    /** Statuses of our answers to a method, in order. */
    statuses(method: string): number[] {
      const all = sent.map(({ message }) => message)
      const answers = all.filter((message) => message.kind === 'response')
      return answers.filter(({ cseq }) => cseq.method === method).map(({ status }) => status)
    },
    lastResponse() {
      const found = sent.map(({ message }) => message).findLast((message) => message.kind === 'response')
      if (!found) throw new Error('we have answered nothing')
      return found
    },
    /** When the requests of a method left. */
    times: (method: string): number[] =>
      sent
        .filter(({ message }) => message.kind === 'request' && message.method === method)
        .map(({ atMs }) => Math.round(atMs)),
    invite: (asked: Partial<InviteRequest> = {}, more: Partial<CallHandlers> = {}) =>
      endpoint.invite(
        {
          uri: `sip:41790000000@${FAR.host}:${FAR.port}`,
          target: FAR,
          from: { uri: 'sip:caller@127.0.0.1' },
          body: Buffer.from('offer'),
          ...asked,
        },
        { ...handlers, ...more },
      ),
    receive: (bytes: Uint8Array | string, from = FAR) => endpoint.receive(Buffer.from(bytes), from),
    /** Answers our last request of a method. */
    respond(status: number, how: ResponseChoices & { method?: string; to?: SipRequest } = {}) {
      const request = how.to ?? requests(how.method ?? 'INVITE').at(-1)
      if (!request) throw new Error('we have asked nothing')
      endpoint.receive(responseTo(request, status, how), FAR)
    },
  }
}

export type ResponseChoices = { tag?: string | undefined; headers?: Header[]; body?: string; contact?: string }

export function responseTo(request: SipRequest, status: number, how: ResponseChoices = {}): Buffer {
  const copied = (name: string): Header[] => headerValues(request, name).map((value) => [name, value])
  const to = headerValues(request, 'to')[0]
  const tag = 'tag' in how ? how.tag : 'far'
  const tagged = status > 100 && tag !== undefined && !to.includes(';tag=') ? `${to};tag=${tag}` : to
  const headers: Header[] = [
    ...copied('via'),
    ...copied('from'),
    ['to', tagged],
    ...copied('call-id'),
    ...copied('cseq'),
    ['contact', how.contact ?? `<sip:callee@${FAR.host}:${FAR.port}>`],
    ...(how.headers ?? []),
  ]
  return formatMessage({ kind: 'response', status, reason: 'Said', headers, body: Buffer.from(how.body ?? '') })
}

let made = 0

/** A request from the far end. Inside a dialog: `dialog` is our INVITE, whose ends are turned round. */
export function requestOf(
  method: string,
  how: {
    headers?: Header[]
    without?: string[]
    body?: string
    uri?: string
    dialog?: SipRequest
    cseq?: number
    tag?: string
    branch?: string
  } = {},
): Buffer {
  const { dialog, cseq = 1 } = how
  const from = dialog ? `${dialog.headers.get('to')};tag=${how.tag ?? 'far'}` : '<sip:far@127.0.0.2>;tag=far'
  const base: Header[] = [
    ['via', `SIP/2.0/UDP ${FAR.host}:${FAR.port};rport;branch=${how.branch ?? `z9hG4bKfar${++made}`}`],
    ['max-forwards', '70'],
    ['from', from],
    ['to', dialog ? dialog.headers.get('from')! : '<sip:near@127.0.0.1>'],
    ['call-id', dialog?.callId ?? `far-call-${made}`],
    ['cseq', `${cseq} ${method}`],
    ['contact', `<sip:far@${FAR.host}:${FAR.port}>`],
  ]
  const given = new Set(how.headers?.map(([name]) => name))
  const headers = base.filter(([name]) => !given.has(name) && !how.without?.includes(name))
  return formatMessage({
    kind: 'request',
    method,
    uri: how.uri ?? 'sip:near@127.0.0.1:5060',
    headers: [...headers, ...(how.headers ?? [])],
    body: Buffer.from(how.body ?? ''),
  })
}
