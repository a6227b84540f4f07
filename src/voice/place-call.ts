import type { Conversation } from './conversation.ts'
import { type Line, openLine } from './line.ts'
import { proveHuman } from './prove-human.ts'
import { readCode } from './read-code.ts'
import type { CallEnd, CallHooks, CallOrder, CallResult, VoiceDeps } from './types.ts'

/**
 * One outbound call, from INVITE to BYE: dial, wait for an answer, find out whether a human listens, read the code to
 * nobody else, and hang up. Resolves with how it ended; rejects only where the call could not even be begun.
 */
export async function placeCall(deps: VoiceDeps, order: CallOrder, hooks: CallHooks = {}): Promise<CallResult> {
  const line = await openLine(deps, order, hooks)
  let end: CallEnd
  try {
    end = await tell(deps, line, order, hooks)
  } finally {
    await line.close()
  }
  return { end, evidence: line.evidence }
}

async function tell(deps: VoiceDeps, line: Line, order: CallOrder, hooks: CallHooks): Promise<CallEnd> {
  const answer = await answered(line)
  if (answer.kind !== 'answered') return answer
  const conversation: Conversation = {
    line,
    order,
    hooks,
    clock: deps.clock,
    endsAt: deps.clock.monotonic() + order.longestMs,
  }
  const proof = await proveHuman(conversation)
  if (proof.kind !== 'human') return proof
  line.evidence.proof = proof.by
  return readCode(conversation, proof.by)
}

/** The SIP room ends every INVITE by its timers, so this wait needs none of its own. */
async function answered(line: Line): Promise<CallEnd | { kind: 'answered' }> {
  let stopping = false
  for (;;) {
    const fact = await line.facts.take(2 ** 31 - 1)
    switch (fact?.kind) {
      case 'answered':
        if (!stopping) return { kind: 'answered' }
        line.hangUp()
        return { kind: 'stopped' }
      case 'failed':
        return stopping ? { kind: 'stopped' } : { kind: 'failed', failure: fact.failure }
      case 'no_common_codec':
        return { kind: 'no_common_codec' }
      case 'ended':
        return { kind: 'lost' }
      case 'told_to_stop':
        stopping = true
        line.hangUp()
    }
  }
}
