import type { Fact, Line } from './line.ts'
import type { CallEnd, CallHooks, CallOrder, VoiceDeps } from './types.ts'

/** What the chapters after the answer share. `endsAt` is monotonic. */
export type Conversation = {
  line: Line
  order: CallOrder
  hooks: CallHooks
  clock: VoiceDeps['clock']
  endsAt: number
}

/** How a fact that ends any conversation ends this one; undefined for facts that end none. */
export function endedBy(line: Line, fact: Fact | undefined): CallEnd | undefined {
  switch (fact?.kind) {
    case 'ended':
      return { kind: 'lost' }
    case 'told_to_stop':
      return { kind: 'stopped' }
    case 'silent_line':
      return line.heardAnything() ? { kind: 'lost' } : { kind: 'no_media' }
    default:
      return undefined
  }
}
