import { systemClock } from '../../src/clock.ts'
import type { Random } from '../../src/random.ts'
import type { Nodes } from '../testbed/nodes.ts'
import type { Phones } from '../testbed/phones.ts'
import type { Answer } from '../testbed/running-server.ts'

/** Everything a client knows of one PIN: what it asked for, and what it was told. */
export type Told = {
  /** A number of this request's own, so that the phone behind it counts for this request alone. */
  to: string
  /** Undefined where no answer ever said that it was taken. */
  pinId?: string
  /** Told by version 1 with the answer; PROCESSING where it did not wait to the end. */
  callStatus?: string
  /** What wrong checks left, as told; checks without an answer may have counted or not. */
  checksLeft: number[]
  unknownChecks: number
  /** Whether an answer said that it is verified; checks with the right code without an answer leave it open. */
  verified: boolean
}

/** A call that was seen closed, and how: it must stay so. */
export type Seen = { deliveryId: string; disposition: string }

export type Book = {
  told: Told[]
  seen: Seen[]
  requests: number
  acknowledged: number
  /** Nobody knows what became of these: the connection broke, or the answer said so. */
  unknown: number
  /** Answers that nothing of what happens here explains. */
  unexpected: string[]
  /** Longest time in which no request at all was acknowledged. */
  longestGapMs: number
}

export type Load = { book: Book; stop(): Promise<void> }

type Sending = { applicationId: string; messageId: string }

const PERSON = ['27', '28']
/** Busy, declines, not in service: such calls are over at once. */
const REFUSE = ['91', '95', '93']
const PAUSE_MS = 150
/** So that one PIN can be checked all the time. */
export const PIN_ATTEMPTS = 5000

/** Clients that send, check and read through whichever node is up, until they are stopped. */
export function startLoad(nodes: Nodes, phones: Phones, sending: Sending, random: Random): Load {
  const book: Book = {
    told: [],
    seen: [],
    requests: 0,
    acknowledged: 0,
    unknown: 0,
    unexpected: [],
    longestGapMs: 0,
  }
  let stopping = false
  let lastAnswerAt = systemClock.monotonic()

  /** The answer of an acknowledged request; undefined where the outcome is not known. */
  async function ask(...request: Parameters<Nodes['call']>): Promise<Answer | undefined> {
    book.requests++
    let answer: Answer | undefined
    try {
      answer = await nodes.call(...request)
    } catch {
      await systemClock.wait(PAUSE_MS) // the node died, or all are down: a client tries the next one a little later
    }
    if (answer?.status === 200) {
      const now = systemClock.monotonic()
      if (!stopping) book.longestGapMs = Math.max(book.longestGapMs, now - lastAnswerAt)
      lastAnswerAt = now
      book.acknowledged++
      return answer
    }
    book.unknown++
    if (!answer) return undefined
    if (answer.status !== 503) book.unexpected.push(`${request[0]} ${request[1]}: ${answer.status} ${answer.text}`)
    else if (!answer.headers.get('retry-after')) book.unexpected.push(`503 without Retry-After: ${answer.text}`)
    await systemClock.wait(PAUSE_MS)
    return undefined
  }

  /** Sends a PIN over voice. Every other client repeats what it has no answer to, under the same Idempotency-Key. */
  async function send(ending: string): Promise<Told & { pinId?: string }> {
    const place = book.told.length
    const told: Told = { to: `4179${10_000 + place}${ending}`, checksLeft: [], unknownChecks: 0, verified: false }
    book.told.push(told)
    const body = { applicationId: sending.applicationId, messageId: sending.messageId, to: told.to }
    const headers: Record<string, string> = place % 2 ? { 'idempotency-key': `request-${place}` } : {}
    let answer: Answer | undefined
    do answer = await ask('POST', '/2fa/1/pin/voice', body, headers)
    while (!answer && place % 2 && !stopping)
    if (answer) {
      told.pinId = String(answer.body.pinId)
      told.callStatus = String(answer.body.callStatus)
    }
    return told
  }

  async function callPeople(): Promise<void> {
    while (!stopping) {
      const told = await send(PERSON[random.int(PERSON.length)])
      if (told.callStatus !== 'PROCESSED') continue
      const pin = await phones.waitForPin(told.to, { timeoutMs: 20_000 }).catch(() => undefined)
      if (!pin) continue // the check at the end says whether it was heard at all
      const answer = await ask('POST', `/2fa/2/pin/${told.pinId}/verify`, { pin: pin.code })
      told.verified = answer?.body.verified === true
    }
  }

  async function callRefusers(): Promise<void> {
    while (!stopping) {
      await send(REFUSE[random.int(REFUSE.length)])
      await systemClock.wait(PAUSE_MS)
    }
  }

  /** Wrong guesses at any PIN, several of one PIN at a time among them. */
  async function guess(): Promise<void> {
    while (!stopping) {
      const told = anyKnown()
      const answer = told && (await ask('POST', `/2fa/2/pin/${told.pinId}/verify`, { pin: 'wrong' }))
      if (answer?.body.pinError === 'WRONG_PIN') told?.checksLeft.push(Number(answer.body.attemptsRemaining))
      else if (told && !answer) told.unknownChecks++
      await systemClock.wait(PAUSE_MS / 5)
    }
  }

  function anyKnown(): Told | undefined {
    const known = book.told.slice(-20).filter(({ pinId }) => pinId)
    return known[random.int(known.length || 1)]
  }

  async function read(): Promise<void> {
    while (!stopping) {
      await ask('GET', `/2fa/2/applications/${sending.applicationId}`)
      const told = anyKnown()
      const answer = told && (await ask('GET', `/pincall/1/pins/${told.pinId}/calls`))
      for (const { deliveryId, state, disposition } of answer ? JSON.parse(answer.text) : [])
        if (state === 'closed') book.seen.push({ deliveryId, disposition })
      await systemClock.wait(PAUSE_MS)
    }
  }

  const clients = [
    ...[callPeople(), callPeople(), callPeople(), callPeople()],
    ...[callRefusers(), callRefusers(), callRefusers()],
    ...[guess(), guess(), guess(), read()],
  ]
  return {
    book,
    async stop() {
      stopping = true
      await Promise.all(clients)
    },
  }
}
