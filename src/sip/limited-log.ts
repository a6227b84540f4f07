import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'

const EVERY_MS = 10_000

/** Says the same thing once in a while, and how often it was not said: whoever sends us datagrams fills no disk. */
export function limitedLog(log: Log, clock: Clock): (kind: string, detail: object, sentence: string) => void {
  const kinds = new Map<string, { saidAt: number; unsaid: number }>()
  return (kind, detail, sentence) => {
    const now = clock.monotonic()
    const known = kinds.get(kind)
    if (known && now - known.saidAt < EVERY_MS) {
      known.unsaid++
      return
    }
    log.warn({ ...detail, ...(known?.unsaid && { alsoTimes: known.unsaid }) }, sentence)
    kinds.set(kind, { saidAt: now, unsaid: 0 })
  }
}
