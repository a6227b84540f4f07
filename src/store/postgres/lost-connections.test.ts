import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { makeWorld } from '../../../test/store/world.ts'
import { testDatabases } from '../../../test/testbed/postgres.ts'
import { type BadDay, badDay, otherSession, waitingForLocks } from '../../../test/testbed/postgres-bad-day.ts'
import { changeBetween, DEEDS, type Deed, tracesIn } from '../../../test/testbed/postgres-deeds.ts'
import type { Moment } from '../../../test/testbed/postgres-proxy.ts'

const databases = await testDatabases()
after(() => databases[Symbol.asyncDispose]())

const MOMENTS: Record<Exclude<Moment, 'late'>, string> = {
  before: 'before the server heard of it',
  during: 'while the server does it',
  after: 'after the commit, before the answer',
  inside: 'in the middle of the answer',
}

/** Does a deed in the way asked for, on an account of its own, and looks at everything that it left behind. */
async function doneOnce(
  { store, url }: BadDay,
  deed: Deed,
  how: (act: () => Promise<unknown>) => Promise<unknown>,
): Promise<void> {
  const { act, answer, change } = await deed.prepare(await makeWorld(store))
  const before = await tracesIn(databases, url)
  assert.deepEqual(await how(act), answer)
  assert.deepEqual(changeBetween(before, await tracesIn(databases, url)), change)
  assert.equal(await store.ledgerDrift(), 0)
  assert.equal(store.trouble(), undefined)
}

const ONCE = 'done once, with the right answer'
const PATIENCE = { timeout: 30_000 }
const ANYTHING_BUT_NOTICES = /^(?!notify|LISTEN|clock)[a-z_ ]+/

describe('a connection that is lost', () => {
  for (const [moment, when] of Object.entries(MOMENTS) as [Moment, string][]) {
    describe(when, () => {
      const day = badDay({ databases })
      for (const deed of DEEDS) {
        test(`${deed.name}: ${ONCE}`, PATIENCE, () =>
          doneOnce(day(), deed, async (act) => {
            const cut = day().proxy.cut(moment, deed.statement)
            const answer = await act()
            await cut
            return answer
          }),
        )
      }
    })
  }

  describe('three times in a row', () => {
    const day = badDay({ databases })
    for (const deed of DEEDS) {
      test(`${deed.name}: ${ONCE}`, PATIENCE, () =>
        doneOnce(day(), deed, async (act) => {
          const { proxy } = day()
          // the second and the third are whatever it asks then, to find out or to try again
          const cuts = [proxy.cut('after', deed.statement), proxy.cut('after', ANYTHING_BUT_NOTICES)]
          cuts.push(proxy.cut('before', ANYTHING_BUT_NOTICES))
          const answer = await act()
          await Promise.all(cuts)
          return answer
        }),
      )
    }
  })

  describe('while the server goes on with the first try, and the second one comes', () => {
    const day = badDay({ databases })
    for (const deed of DEEDS) {
      test(`${deed.name}: ${ONCE}`, PATIENCE, () =>
        doneOnce(day(), deed, async (act) => {
          const { proxy, url } = day()
          await using other = await otherSession(url)
          await other.query('BEGIN')
          await other.query(`LOCK TABLE ${deed.late} IN EXCLUSIVE MODE`)
          const cut = proxy.cut('during', deed.statement)
          const acted = act()
          await waitingForLocks(databases, url, 2)
          await other.query('COMMIT')
          await cut
          return acted
        }),
      )
    }
  })

  describe('before a server that was slow to hear of it, and does when the second try is done', () => {
    const day = badDay({ databases })
    for (const deed of DEEDS) {
      test(`${deed.name}: ${ONCE}`, PATIENCE, () =>
        doneOnce(day(), deed, async (act) => {
          const { proxy } = day()
          const cut = proxy.cut('late', deed.statement)
          const answer = await act()
          proxy.deliverLate()
          await cut
          return answer
        }),
      )
    }
  })
})
