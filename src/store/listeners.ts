import type { Log } from '../log.ts'

/** Whoever listens. A listener that throws harms neither the store nor the others. */
export function makeListeners<Told>(log: Log) {
  const listeners = new Set<{ hear: (told: Told) => void }>()
  return {
    add(hear: (told: Told) => void): () => void {
      const listener = { hear } // its own object: the same function may listen twice
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    publish(told: Told): void {
      for (const { hear } of listeners) {
        try {
          hear(told)
        } catch (error) {
          log.error({ err: error }, 'a listener of the store failed')
        }
      }
    },
  }
}
