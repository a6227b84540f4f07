import { IDEMPOTENCY_MS } from '../limits.ts'
import type { Numbers } from '../numbers.ts'
import type { Admission, AdmitSend } from '../types.ts'
import { counterKey } from './counted.ts'

/** What stood in the database when it was read: by the time of the write it may be less, and the write says so. */
export type Standing = {
  counters: readonly { key: string; started_at: number; count: number }[]
  balances: readonly { account_id: string; free: number }[]
  keys: readonly {
    account_id: string
    key: string
    fingerprint: string
    pin_id: string
    delivery_id: string
    created_at: number
  }[]
}

export type Plan<Send> = { refused: Map<Send, Admission>; fits: Send[] }

type Window = { startedAt: number; count: number; alive: boolean }

/**
 * Goes through a batch in its order as if each were alone with the database: who is refused, and which of the others can
 * be written together. What is neither (its window is judged otherwise than that of one before it) waits for the next round.
 */
export function plan<Send extends AdmitSend>(sends: readonly Send[], standing: Standing, numbers: Numbers): Plan<Send> {
  const refused = new Map<Send, Admission>()
  const fits: Send[] = []
  const counters = new Map(standing.counters.map((row) => [row.key, row]))
  const planned = new Map<string, Window>()
  const free = new Map(standing.balances.map((row) => [row.account_id, row.free]))

  const windowOf = (key: string, ms: number, now: number): Window => {
    const row = counters.get(key)
    const alive = row !== undefined && row.started_at + ms > now && row.started_at <= now + ms
    return alive ? { startedAt: row.started_at, count: row.count, alive } : { startedAt: now, count: 0, alive }
  }

  for (const send of sends) {
    const earlier = earlierUse(send, standing, numbers)
    if (earlier) {
      refused.set(send, earlier)
      continue
    }
    const windows = send.counted.map((each) => {
      const key = counterKey(each, numbers)
      const now = windowOf(key, each.windowMs, send.now)
      const before = planned.get(key)
      return { each, key, now, before }
    })
    if (windows.some(({ now, before }) => before && before.alive !== now.alive)) continue
    const full = windows.find(({ each, now, before }) => (before ?? now).count + 1 > each.count)
    if (full) {
      const { each, now, before } = full
      const retryAfterMs = Math.max(1, (before ?? now).startedAt + each.windowMs - send.now)
      refused.set(send, { kind: 'limited', name: each.name, retryAfterMs })
      continue
    }
    const { accountId } = send.pin
    const { reserveMicros } = send.delivery
    const left = free.get(accountId) ?? 0
    if (reserveMicros > 0 && left < reserveMicros) {
      refused.set(send, { kind: 'no_credit' })
      continue
    }
    free.set(accountId, left - reserveMicros)
    for (const { key, now, before } of windows)
      planned.set(key, { ...(before ?? now), count: (before ?? now).count + 1 })
    fits.push(send)
  }
  return { refused, fits }
}

function earlierUse({ pin, idempotency, now }: AdmitSend, { keys }: Standing, numbers: Numbers): Admission | undefined {
  if (!idempotency) return undefined
  const found = keys.find((row) => row.account_id === pin.accountId && row.key === idempotency.key)
  if (!found || found.created_at <= now - IDEMPOTENCY_MS) return undefined
  if (!numbers.hashes(idempotency.fingerprint).includes(found.fingerprint)) return { kind: 'mismatch' }
  return { kind: 'repeated', deliveryId: found.delivery_id, pinId: found.pin_id }
}
