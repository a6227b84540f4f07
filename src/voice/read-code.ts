import { type Conversation, endedBy } from './conversation.ts'
import type { CallEnd } from './types.ts'

/** After the last reading: time to press the replay key, or to say thank you. */
const REPLAY_WAIT_MS = 3500
/** Between the message and its repetition. */
const BETWEEN_MS = 1200

/**
 * Reads the message with the code, then once more, and again for each replay key, until the call's longest time. What
 * turns out to be a machine after all stops the code in mid-sentence.
 */
export async function readCode(call: Conversation, by: 'detector' | 'key' | 'answer'): Promise<CallEnd> {
  const { line, order, hooks, clock } = call
  const { reading, repetition, goodbye } = order.prompts
  const pause = new Int16Array((8000 * BETWEEN_MS) / 1000)
  hooks.onStep?.('reading')
  let playing = line.media.play(reading)
  let farewell: number | undefined
  let until = call.endsAt
  const soFar = (): CallEnd => (line.evidence.readings > 0 ? { kind: 'heard' } : { kind: 'lost' })
  for (;;) {
    const fact = await line.facts.take(Math.min(until, call.endsAt) - clock.monotonic())
    const end = endedBy(line, fact)
    if (end) return line.evidence.readings > 0 ? { kind: 'heard' } : end
    if (!fact) {
      if (clock.monotonic() >= call.endsAt || farewell !== undefined) return soFar()
      farewell = line.media.play(goodbye)
      until = call.endsAt
    } else if (fact.kind === 'played' && fact.id === farewell) {
      return soFar()
    } else if (fact.kind === 'played' && fact.id === playing && fact.complete) {
      line.evidence.readings++
      if (line.evidence.readings === 1) {
        hooks.onHeard?.({ ...line.evidence })
        line.media.play(pause)
        playing = line.media.play(repetition)
      } else {
        until = clock.monotonic() + REPLAY_WAIT_MS
      }
    } else if (fact.kind === 'key' && order.replayKeys.includes(fact.digit) && line.evidence.readings > 0) {
      line.media.stop()
      farewell = undefined
      until = call.endsAt
      playing = line.media.play(repetition)
    } else if (by === 'detector' && line.evidence.readings === 0 && overturns(fact)) {
      line.media.stop()
      return { kind: 'machine' }
    }
  }
}

/** A beep, or speech that goes on as only an announcement does: the "human" was a mailbox. */
const overturns = (fact: { kind: string; verdict?: { verdict: string } }): boolean =>
  fact.kind === 'beep' || (fact.kind === 'verdict' && fact.verdict?.verdict === 'machine')
