import { type Agent, dialogKey, newTag } from './agent.ts'
import { objectionTo, UasCall } from './incoming-call.ts'
import { serverKey } from './layer.ts'
import type { SipRequest } from './message.ts'
import { ALLOW, type ResponseParts, SUPPORTED_AS_CALLEE } from './responses.ts'
import { ServerTransaction } from './server-transaction.ts'
import { CAPABILITIES } from './session.ts'
import type { Address, IncomingCall } from './types.ts'
import { parseNameAddress, parseUri } from './uri.ts'

/** More transactions than this at once are an attack or a mistake: what is new is dropped, and comes again. */
const MAX_TRANSACTIONS = 50_000

/** RFC 3261 §8.2 and §12.2.2 as a row of questions: a retransmission? an ACK? a CANCEL? of a dialog? from whom? */
export class RequestDesk {
  readonly #agent: Agent
  readonly #onStranger: (request: SipRequest, source: Address) => void
  /** Call-ID, From tag and CSeq of requests outside dialogs: the same by two ways is answered 482 (§8.2.2.2). */
  readonly #merging = new Map<string, string>()
  onInvite: ((call: IncomingCall) => void) | undefined
  closing = false

  constructor(agent: Agent, onStranger: (request: SipRequest, source: Address) => void) {
    this.#agent = agent
    this.#onStranger = onStranger
  }

  receive(request: SipRequest, source: Address): void {
    const key = serverKey(request)
    const known = this.#agent.serverTransactions.get(key)
    if (known?.owns(request)) return known.receive(request)
    const from = parseNameAddress(request.headers.get('from')!)
    const to = parseNameAddress(request.headers.get('to')!)
    const fromTag = from?.params.get('tag') ?? ''
    const toTag = to?.params.get('tag')
    const session = toTag && this.#agent.dialogs.get(dialogKey(request.callId, toTag, fromTag))
    if (request.method === 'ACK') return session ? session.acknowledged(request) : undefined
    if (request.method === 'CANCEL') return this.#cancel(request, source)
    if (session) return this.#inDialog(request, source, (transaction) => session.receive(request, transaction))
    if (!this.#agent.allows(source)) return this.#onStranger(request, source)
    if (this.#agent.serverTransactions.size >= MAX_TRANSACTIONS) return
    if (!from || !to) return this.#refuse(request, source, { status: 400, reason: 'Bad From or To' })
    if (toTag || DIALOG_METHODS.has(request.method)) {
      return this.#refuse(request, source, { status: 481, reason: 'Call Does Not Exist' })
    }
    this.#outsideDialog(request, source, `${request.callId} ${fromTag} ${request.cseq.number} ${request.method}`, key)
  }

  /** §9.2: a CANCEL is answered for itself, then ends the INVITE with the same branch if that has no final answer. */
  #cancel(request: SipRequest, source: Address): void {
    const invited = this.#agent.serverTransactions.get(serverKey(request, 'INVITE'))
    if (!invited && !this.#agent.allows(source)) return this.#onStranger(request, source)
    const parts = invited ? { status: 200, reason: 'OK' } : { status: 481, reason: 'Transaction Does Not Exist' }
    this.#refuse(request, source, parts)
    if (invited instanceof ServerTransaction) invited.onCancel?.()
  }

  #inDialog(request: SipRequest, source: Address, then: (transaction: ServerTransaction) => void): void {
    const transaction = new ServerTransaction(this.#agent, request, source)
    const unknown = unknownExtensions(request)
    if (unknown) transaction.respond(unknown)
    else then(transaction)
  }

  #outsideDialog(request: SipRequest, source: Address, identity: string, key: string): void {
    const merged = this.#merging.get(identity)
    if (merged !== undefined && merged !== key) {
      return this.#refuse(request, source, { status: 482, reason: 'Loop Detected' })
    }
    const scheme = parseUri(request.uri)?.scheme
    if (!scheme) {
      const known = /^(sips?|tel):/i.test(request.uri)
      const parts = known
        ? { status: 400, reason: 'Bad Request-URI' }
        : { status: 416, reason: 'Unsupported URI Scheme' }
      return this.#refuse(request, source, parts)
    }
    this.#merging.set(identity, key)
    const transaction = new ServerTransaction(this.#agent, request, source, () => this.#merging.delete(identity))
    const tagged = (parts: ResponseParts) => transaction.respond({ toTag: newTag(this.#agent.random), ...parts })
    const unknown = unknownExtensions(request)
    if (unknown) return tagged(unknown)
    if (request.method === 'OPTIONS') return tagged({ status: 200, reason: 'OK', headers: CAPABILITIES })
    if (request.method === 'INVITE') return this.#invite(request, transaction, tagged)
    tagged({ status: 405, reason: 'Method Not Allowed', headers: [['allow', ALLOW]] })
  }

  #invite(request: SipRequest, transaction: ServerTransaction, refuse: (parts: ResponseParts) => void): void {
    const objection = objectionTo(request)
    if (objection) return refuse(objection)
    if (this.closing) return refuse({ status: 503, reason: 'Service Unavailable' })
    if (!this.onInvite) return refuse({ status: 603, reason: 'Decline' })
    const call = new UasCall(this.#agent, transaction)
    this.#agent.tell(() => this.onInvite?.(call))
    if (!transaction.hasAnswered) transaction.respond({ status: 100, reason: 'Trying' }) // §17.2.1
  }

  #refuse(request: SipRequest, source: Address, parts: ResponseParts): void {
    const toTag = newTag(this.#agent.random)
    new ServerTransaction(this.#agent, request, source).respond({ toTag, ...parts })
  }
}

/** Methods that make no sense outside a dialog. */
const DIALOG_METHODS = new Set(['BYE', 'PRACK', 'UPDATE', 'INFO'])

/** §8.2.2.3. */
function unknownExtensions(request: SipRequest): ResponseParts | undefined {
  const required = request.headers.list('require')
  const unknown = required.filter((tag) => !SUPPORTED_AS_CALLEE.includes(tag.toLowerCase()))
  if (unknown.length === 0) return undefined
  return { status: 420, reason: 'Bad Extension', headers: [['unsupported', unknown.join(', ')]] }
}
