import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from './clock.ts'
import { PincallError } from './errors.ts'
import { makeLog } from './log.ts'
import { seededRandom } from './random.ts'
import { keepTidy, type RetentionDeps } from './retention.ts'
import type { Removed } from './store/index.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const NONE: Removed = { pins: 0, deliveries: 0, attempts: 0, events: 0 }

/** A store whose accounts have so many batches of old records. */
function opened(batches: Record<string, number>, retention: RetentionDeps['retention'], seed = 'a') {
  const clock = new ManualClock()
  const lines: Record<string, unknown>[] = []
  const asked: { accountId: string; before: number; at: number }[] = []
  const sweeps: number[] = []
  const observed: Removed[] = []
  const state = { away: false }
  const left = { ...batches }
  const tidy = keepTidy({
    clock,
    random: seededRandom(seed),
    log: makeLog({ destination: { write: (line) => void lines.push(JSON.parse(line)) } }),
    retention,
    observe: (removed) => void observed.push(removed),
    store: {
      async sweep(now) {
        if (state.away) throw new PincallError('unavailable', 'away')
        sweeps.push(now)
      },
      listAccounts: async () => Object.keys(batches).map((accountId) => ({ accountId, name: accountId, createdAt: 1 })),
      async prune({ accountId, before, most }) {
        asked.push({ accountId, before, at: clock.now() })
        return left[accountId]-- > 0 ? { pins: most, deliveries: most, attempts: 0, events: 1 } : NONE
      },
    },
  })
  return { clock, tidy, lines, asked, sweeps, observed, state }
}

test('every five minutes or so what is over is swept, and what is past its account’s days is removed batch by batch', async () => {
  const { clock, tidy, lines, asked, sweeps, observed } = opened(
    { USUAL: 3, SHORT: 1, FOREVER: 5 },
    { days: 90, accounts: { SHORT: 7, FOREVER: 0 } },
  )
  await clock.advance(6 * MINUTE_MS)
  assert.ok(sweeps.length >= 1)
  assert.deepEqual(
    asked.slice(0, 6).map(({ accountId }) => accountId),
    ['USUAL', 'USUAL', 'USUAL', 'USUAL', 'SHORT', 'SHORT'],
  )
  for (const { accountId, before, at } of asked) {
    const days = accountId === 'SHORT' ? 7 : 90
    assert.ok(before <= at - days * DAY_MS && before > at - days * DAY_MS - MINUTE_MS, accountId)
  }
  assert.ok(asked[1].at > asked[0].at, 'with a pause between two batches')
  const said = lines.filter(({ msg }) => msg === 'what is past its days was removed')
  assert.deepEqual(
    said.map(({ pins, events }) => [pins, events]),
    [[800, 4]],
    'one line, with the sums',
  )
  assert.equal(observed.length, 4)
  await tidy.close()
  assert.equal(clock.pending, 0)
})

test('rounds come at other times on other nodes, and four to six minutes apart', async () => {
  const first = (seed: string) => {
    const { clock, tidy, sweeps } = opened({}, { days: 90, accounts: {} }, seed)
    return clock.advance(60 * MINUTE_MS).then(async () => {
      await tidy.close()
      return sweeps
    })
  }
  const [a, b] = [await first('a'), await first('b')]
  assert.notEqual(a[0], b[0])
  for (const sweeps of [a, b]) {
    for (const [i, at] of sweeps.slice(1).entries()) {
      const apart = at - sweeps[i]
      assert.ok(apart >= 4 * MINUTE_MS && apart <= 6 * MINUTE_MS, `${apart}`)
    }
  }
})

test('a database that is away is asked again in the next round', async () => {
  const { clock, tidy, state, sweeps, lines } = opened({ USUAL: 1 }, { days: 90, accounts: {} })
  state.away = true
  await clock.advance(6 * MINUTE_MS)
  assert.match(String(lines[0].msg), /the database is away/)
  state.away = false
  await clock.advance(7 * MINUTE_MS)
  assert.ok(sweeps.length >= 1)
  await tidy.close()
})

test('closing ends a round between two batches', async () => {
  const { clock, tidy, asked } = opened({ USUAL: 1_000_000 }, { days: 90, accounts: {} })
  while (asked.length === 0) await clock.advance(1000)
  await tidy.close()
  const before = asked.length
  await clock.advance(10 * MINUTE_MS)
  assert.equal(asked.length, before)
  assert.equal(clock.pending, 0)
})
