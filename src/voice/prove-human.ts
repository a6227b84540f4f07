import type { Verdict } from '../media/index.ts'
import { type Conversation, endedBy } from './conversation.ts'
import type { CallEnd } from './types.ts'

/** Silence between the answer and our first word: networks swallow the first half second. */
const LEAD_IN_MS = 700
/** How long a person has to find the key after it was named. */
const KEY_WAIT_MS = 5000
const OFFERS = 2
/** Wrong keys that make a robot of who presses them. */
const WRONG_KEYS = 3

export type Proof =
  | { kind: 'human'; by: 'detector' | 'key' | 'answer' }
  | Extract<CallEnd, { kind: 'machine' | 'lost' | 'no_media' | 'stopped' }>

/**
 * Greets at once and listens. A human's greeting proves a human; whatever else is heard is offered a key, drawn for this
 * call and named only in it. After a beep nothing more is offered: a mailbox is recording.
 */
export async function proveHuman(call: Conversation): Promise<Proof> {
  const greeted = await greet(call)
  if (greeted !== 'ask') return greeted
  for (let offer = 0; offer < OFFERS; offer++) {
    const answer = await offerKey(call, offer)
    if (answer !== 'nothing') return answer
  }
  return { kind: 'machine' }
}

async function greet(call: Conversation): Promise<Proof | 'ask'> {
  const { line, order, hooks, clock } = call
  const speakAt = clock.monotonic() + LEAD_IN_MS
  let verdict: Verdict['verdict'] | undefined = startingVerdict(call)
  let greeting: number | undefined
  let greeted = false
  for (;;) {
    if (greeted && verdict === 'human') return { kind: 'human', by: order.proof === 'off' ? 'answer' : 'detector' }
    if (greeted && verdict) return 'ask'
    const deadline = greeting === undefined ? speakAt : call.endsAt
    const fact = await line.facts.take(deadline - clock.monotonic())
    const end = endedBy(line, fact)
    if (end) return end.kind === 'lost' && verdict === 'machine' ? { kind: 'machine' } : (end as Proof)
    if (!fact && clock.monotonic() >= call.endsAt) return { kind: 'machine' }
    if (!fact) {
      greeting = line.media.play(order.prompts.greeting)
    } else if (fact.kind === 'played' && fact.id === greeting) {
      greeted = true
    } else if (fact.kind === 'beep') {
      return { kind: 'machine' }
    } else if (fact.kind === 'verdict' && order.proof === 'detect' && !line.evidence.diverted) {
      verdict = fact.verdict.verdict
      hooks.onStep?.(verdict)
      if (fact.verdict.why === 'beep' || fact.verdict.why === 'fax') return { kind: 'machine' }
    }
  }
}

/** What is decided before anybody said a word. */
function startingVerdict({ line, order }: Conversation): Verdict['verdict'] | undefined {
  if (order.proof === 'off') return 'human'
  return order.proof === 'keypress' || line.evidence.diverted ? 'unsure' : undefined
}

async function offerKey(call: Conversation, offer: number): Promise<Proof | 'nothing'> {
  const { line, order, clock } = call
  const said = line.media.play(order.prompts.offerKey)
  let named = offer > 0 // a press before the key was ever named is no answer to it
  let wrong = 0
  let until = call.endsAt
  for (;;) {
    const fact = await line.facts.take(Math.min(until, call.endsAt) - clock.monotonic())
    if (!fact) return 'nothing'
    const end = endedBy(line, fact)
    if (end) return end.kind === 'lost' && line.evidence.verdict === 'machine' ? { kind: 'machine' } : (end as Proof)
    if (fact.kind === 'beep') return { kind: 'machine' }
    if (fact.kind === 'played' && fact.id === said) {
      named = true
      until = clock.monotonic() + KEY_WAIT_MS
    }
    if (fact.kind === 'key') {
      if (named && fact.digit === order.proofKey) {
        line.media.stop()
        return { kind: 'human', by: 'key' }
      }
      if (++wrong >= WRONG_KEYS) return { kind: 'machine' }
    }
  }
}
