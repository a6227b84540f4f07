import type { Store, StoredEvent } from '../store/types.ts'

/** A step of a delivery while it is under way: told to whoever listens on this node now, kept nowhere. */
export type Progress = {
  accountId: string
  pinId: string
  deliveryId: string
  step: 'dialling' | 'ringing' | 'answered' | 'human' | 'machine' | 'unsure' | 'reading' | 'ended'
  at: number
}

/** The numbered log of what happened, and beside it what is happening. */
export type Events = {
  after(accountId: string, seq: number, most: number): Promise<StoredEvent[]>
  /** Number of the account's newest event, 0 before the first. */
  lastSeq(accountId: string): Promise<number>
  /** Each event after its commit; another node's may come late, out of order, or not at all. Returns how to stop listening. */
  onEvent(listener: (event: StoredEvent) => void): () => void
  onProgress(listener: (progress: Progress) => void): () => void
  tell(progress: Progress): void
}

export function makeEvents(store: Pick<Store, 'eventsAfter' | 'lastSeq' | 'onEvent'>): Events {
  const listeners = new Set<(progress: Progress) => void>()
  return {
    after: (accountId, seq, most) => store.eventsAfter(accountId, seq, most),
    lastSeq: (accountId) => store.lastSeq(accountId),
    onEvent: (listener) => store.onEvent(listener),
    onProgress(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    tell(progress) {
      for (const listener of [...listeners]) listener(progress)
    },
  }
}
