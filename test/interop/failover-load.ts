import { systemClock } from '../../src/clock.ts'
import { codeKeys, codeOf } from '../../src/verification/index.ts'
import { MASTER_KEY, type Nodes } from '../testbed/nodes.ts'
import type { Answer } from '../testbed/running-server.ts'

/** One PIN as its client knows it: what was asked, and what was acknowledged. */
export type Deed = {
  to: string
  channel: 'sms' | 'voice'
  pinId?: string
  /** What the wrong check left, where that was acknowledged. */
  checksLeft?: number
  /** An answer said that the right check verified it. */
  verified: boolean
  /** A check was answered by nobody: it may have counted. */
  unknownChecks: number
}

export type Load = {
  deeds: Deed[]
  /** When each acknowledged write was acknowledged (`systemClock.monotonic`), in order. */
  acknowledgedAt: number[]
  /** Requests without an answer, and answers 503 with Retry-After: what a client may meet while a database fails over. */
  broken: number
  unavailable: number
  /** Answers that nothing explains. */
  unexpected: string[]
  /** Resolves once so many more writes are acknowledged from now on; rejects where that takes too long. */
  more(writes: number): Promise<void>
  /** Calls to people that are on their way when this resolves, each acknowledged; they run on. */
  call(people: number): Promise<Deed[]>
  stop(): Promise<void>
}

type Sending = { applicationId: string; messageId: string }

const CLIENTS = 12
const PAUSE_MS = 20
const PAUSE_AFTER_TROUBLE_MS = 200
const PATIENCE_MS = 90_000
/** Endings of numbers whose phone takes a text, and of those that are a person who listens. */
const ANYBODY = '00'
const PERSON = '27'

/** Clients over all nodes that send, check wrong and check right, and ask again for whatever was not acknowledged. */
export function startLoad(nodes: Nodes, sending: Sending): Load {
  const keys = codeKeys([{ id: 'k1', key: Buffer.from(MASTER_KEY, 'hex') }])
  const load: Load = { deeds: [], acknowledgedAt: [], broken: 0, unavailable: 0, unexpected: [], more, call, stop }
  let stopping = false

  /** Asks until it is acknowledged, each time another node, under one Idempotency-Key; undefined where we stopped before. */
  async function insist(path: string, body: object, key?: string): Promise<Answer | undefined> {
    while (!stopping) {
      const answer = await ask(path, body, key)
      if (answer) return answer
      await systemClock.wait(PAUSE_AFTER_TROUBLE_MS)
    }
    return undefined
  }

  async function ask(path: string, body: object, key?: string): Promise<Answer | undefined> {
    let answer: Answer
    try {
      answer = await nodes.call('POST', path, body, key ? { 'idempotency-key': key } : {})
    } catch {
      load.broken++
      return undefined
    }
    if (answer.status === 200) {
      load.acknowledgedAt.push(systemClock.monotonic())
      return answer
    }
    if (answer.status === 503 && answer.headers.get('retry-after')) load.unavailable++
    else load.unexpected.push(`${path}: ${answer.status} ${answer.text}`)
    return undefined
  }

  async function send(channel: Deed['channel'], ending: string): Promise<Deed> {
    const place = load.deeds.length
    const to = `4179${10_000 + place}${ending}`
    const deed: Deed = { to, channel, verified: false, unknownChecks: 0 }
    load.deeds.push(deed)
    const path = channel === 'sms' ? '/2fa/2/pin' : '/2fa/2/pin/voice'
    const answer = await insist(path, { ...sending, to }, `send-${place}`)
    if (answer) deed.pinId = String(answer.body.pinId)
    return deed
  }

  async function check(deed: Deed): Promise<void> {
    const path = `/2fa/2/pin/${deed.pinId}/verify`
    const wrong = await ask(path, { pin: 'wrong' })
    if (wrong) deed.checksLeft = Number(wrong.body.attemptsRemaining)
    else deed.unknownChecks++
    const pin = { pinId: deed.pinId!, codeKeyId: 'k1', pinType: 'NUMERIC' as const, pinLength: 6 }
    const before = load.broken + load.unavailable
    const right = await insist(path, { pin: codeOf(keys, pin) })
    if (!right) return
    deed.verified = right.body.verified === true
    if (deed.verified) return
    // Verified before without our being told: only possible where an earlier answer was lost.
    if (load.broken + load.unavailable > before) deed.unknownChecks++
    else load.unexpected.push(`${path}: a right code, never asked before: ${right.text}`)
  }

  async function client(): Promise<void> {
    while (!stopping) {
      const deed = await send('sms', ANYBODY)
      if (deed.pinId) await check(deed)
      await systemClock.wait(PAUSE_MS)
    }
  }

  const clients = Array.from({ length: CLIENTS }, client)

  async function more(writes: number): Promise<void> {
    const wanted = load.acknowledgedAt.length + writes
    const from = systemClock.monotonic()
    while (load.acknowledgedAt.length < wanted) {
      if (systemClock.monotonic() - from > PATIENCE_MS) {
        throw new Error(`no ${writes} writes were acknowledged in ${PATIENCE_MS} ms: ${load.unexpected.slice(0, 3)}`)
      }
      await systemClock.wait(50)
    }
  }

  function call(people: number): Promise<Deed[]> {
    return Promise.all(Array.from({ length: people }, () => send('voice', PERSON)))
  }

  async function stop(): Promise<void> {
    stopping = true
    await Promise.all(clients)
  }
  return load
}
