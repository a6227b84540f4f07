import type { Log } from '../../log.ts'
import type { StoredEvent } from '../types.ts'

/** Whoever listens for events of this process. A listener that throws harms neither the store nor the others. */
export function makeListeners(log: Log) {
  const listeners = new Set<{ hear: (event: StoredEvent) => void }>()
  return {
    add(hear: (event: StoredEvent) => void): () => void {
      const listener = { hear } // its own object: the same function may listen twice
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    publish(event: StoredEvent): void {
      for (const { hear } of listeners) {
        try {
          hear(event)
        } catch (error) {
          log.error({ err: error, seq: event.seq }, 'a listener of events failed')
        }
      }
    },
  }
}
