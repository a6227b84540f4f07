import type { Numbers } from '../numbers.ts'
import { counterKey } from '../rows.ts'
import type { Counted } from '../types.ts'
import type { Database } from './database.ts'

export type Limited = { kind: 'limited'; name: string; retryAfterMs: number }

/**
 * Raises every counter, or says which one must not be raised; the caller then undoes those before it. The guard stands
 * in the statement that counts. A window is judged by the limit as it is today, so a changed setting holds at once; a
 * start further ahead than a whole window was written by a clock that has since been put right.
 */
export function prepareRaiseCounters(
  database: Database,
  numbers: Numbers,
): (counted: readonly Counted[], now: number) => Limited | undefined {
  const raise = database.prepare(`
    INSERT INTO counters (key, started_at, ends_at, count) VALUES (?1, ?2, ?2 + ?3, 1)
    ON CONFLICT (key) DO UPDATE SET
      count = CASE WHEN started_at + ?3 > ?2 AND started_at <= ?2 + ?3 THEN count + 1 ELSE 1 END,
      started_at = CASE WHEN started_at + ?3 > ?2 AND started_at <= ?2 + ?3 THEN started_at ELSE ?2 END,
      ends_at = CASE WHEN started_at + ?3 > ?2 AND started_at <= ?2 + ?3 THEN started_at + ?3 ELSE ?2 + ?3 END
    WHERE count < ?4 OR NOT (started_at + ?3 > ?2 AND started_at <= ?2 + ?3)`)
  const startOf = database.prepare<{ started_at: number }>('SELECT started_at FROM counters WHERE key = ?')

  return (counted, now) => {
    for (const each of counted) {
      const { name, count, windowMs } = each
      const key = counterKey(each, numbers)
      if (count >= 1 && raise.run(key, now, windowMs, count) === 1) continue
      const startedAt = startOf.get(key)?.started_at ?? now
      return { kind: 'limited', name, retryAfterMs: Math.max(1, startedAt + windowMs - now) }
    }
    return undefined
  }
}
