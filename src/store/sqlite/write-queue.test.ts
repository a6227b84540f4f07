import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { TEST_NUMBERS } from '../../../test/store/world.ts'
import { ManualClock } from '../../clock.ts'
import { PincallError } from '../../errors.ts'
import { silentLog } from '../../log.ts'
import type { StoredEvent } from '../types.ts'
import { type Database, openDatabase } from './database.ts'
import { WriteQueue } from './write-queue.ts'

const EVENT: StoredEvent = { seq: 1, accountId: 'a', kind: 'pin.verified', at: 0, pinId: 'p', data: {} }

describe('the queue of writes', () => {
  let database: Database
  let queue: WriteQueue
  let commits = 0
  let clock: ManualClock
  let published: StoredEvent[]
  beforeEach(() => {
    const inner = openDatabase({ path: ':memory:', numbers: TEST_NUMBERS, log: silentLog, steps: [] })
    inner.exec(`
      CREATE TABLE notes (text TEXT NOT NULL);
      CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
      CREATE TABLE parents (id INTEGER PRIMARY KEY)`)
    commits = 0
    published = []
    database = counting(inner)
    clock = new ManualClock()
    queue = queueThat((event) => published.push(event))
  })

  const queueThat = (publish: (event: StoredEvent) => void) =>
    new WriteQueue(database, { log: silentLog, clock, publish })

  /** The same database, counting its commits. */
  function counting(inner: Database): Database {
    return {
      prepare<Row>(sql: string) {
        const statement = inner.prepare<Row>(sql)
        if (sql !== 'COMMIT') return statement
        const run = () => {
          commits++
          return statement.run()
        }
        return { ...statement, run }
      },
      exec: (sql) => inner.exec(sql),
      define: (name, run) => inner.define(name, run),
      get inTransaction() {
        return inner.inTransaction
      },
      close: () => inner.close(),
    }
  }

  const write = (text: string) => database.prepare('INSERT INTO notes (text) VALUES (?)').run(text)
  const note = (text: string) => queue.write(() => write(text))
  const notes = () =>
    database
      .prepare<{ text: string }>('SELECT text FROM notes ORDER BY rowid')
      .all()
      .map((row) => row.text)
      .join('')

  test('what arrives in one turn shares one commit, in order', async () => {
    await Promise.all(['a', 'b', 'c'].map(note))
    assert.equal(notes(), 'abc')
    assert.equal(commits, 1)
  })

  test('a write alone is committed by the end of its turn', async () => {
    const written = note('a')
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(commits, 1)
    await written
  })

  test('no commit is shared by more than 256', async () => {
    await Promise.all(Array.from({ length: 600 }, () => note('x')))
    assert.equal(commits, 3)
    assert.equal(notes().length, 600)
  })

  test('what is asked for while others are answered goes into the next commit', async () => {
    await note('a').then(() => note('b'))
    assert.equal(notes(), 'ab')
    assert.equal(commits, 2)
  })

  test('a write that throws or refuses is undone alone, and its events are not told', async () => {
    const failure = new Error('no')
    const results = await Promise.allSettled([
      note('a'),
      queue.write((tx) => {
        write('b')
        tx.tell(EVENT)
        throw failure
      }),
      queue.write((tx) => {
        write('c')
        tx.tell(EVENT)
        return tx.refuse('refused')
      }),
      note('d'),
    ])
    assert.deepEqual(
      results.map((result) => result.status),
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    )
    assert.equal(results[1]?.status === 'rejected' && results[1].reason, failure)
    assert.equal(results[2]?.status === 'fulfilled' && results[2].value, 'refused')
    assert.equal(notes(), 'ad')
    assert.deepEqual(published, [])
  })

  test('events are told after the commit and before the answer', async () => {
    const order: string[] = []
    queue = queueThat(() => order.push(`told after ${commits} commit`))
    await queue.write((tx) => tx.tell(EVENT)).then(() => order.push('answered'))
    assert.deepEqual(order, ['told after 1 commit', 'answered'])
  })

  test('a commit that fails rejects all that shared it, keeps nothing of them, and the next one works', async () => {
    const results = await Promise.allSettled([
      note('a'),
      queue.write((tx) => {
        tx.tell(EVENT)
        database.prepare('INSERT INTO children (parent) VALUES (7)').run() // fails at the commit: there is no parent 7
      }),
      note('b'),
    ])
    for (const result of results) {
      const reason = result.status === 'rejected' ? result.reason : undefined
      assert.ok(reason instanceof PincallError)
      assert.equal(reason.code, 'unavailable')
    }
    assert.equal(notes(), '')
    assert.deepEqual(published, [])
    assert.equal(database.inTransaction, false)
    await note('c')
    assert.equal(notes(), 'c')
  })

  test('where SQLite gives the whole transaction up by itself, nobody in it is told that it is written', async () => {
    const results = await Promise.allSettled([
      note('a'),
      queue.write(() => {
        database.exec('ROLLBACK') // what SQLite does of its own on some I/O errors
        throw new Error('disk I/O error')
      }),
      note('b'),
    ])
    for (const result of results) assert.equal(result.status === 'rejected' && result.reason.code, 'unavailable')
    await note('c')
    assert.equal(notes(), 'c')
  })

  test('a full disk loses nothing that was answered and the store recovers when there is room', async () => {
    const pages = database.prepare<{ page_count: number }>('PRAGMA page_count').get()?.page_count ?? 0
    database.exec(`PRAGMA max_page_count = ${pages + 20}`)
    const big = (i: number) => String.fromCharCode(97 + i).repeat(9000)
    const results = await Promise.allSettled(Array.from({ length: 12 }, (_, i) => note(big(i))))
    const rejected = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    assert.ok(rejected.length > 0)
    for (const reason of rejected) {
      assert.equal(reason.code, 'unavailable')
      assert.match(reason.message, /the disk is full\. Nothing was changed/)
    }
    assert.match(queue.trouble ?? '', /the disk is full/)
    const kept = results.flatMap((result, i) => (result.status === 'fulfilled' ? [big(i)] : []))
    assert.equal(notes(), kept.join(''))
    database.exec('PRAGMA max_page_count = 100000')
    await clock.advance(1000)
    assert.equal(queue.trouble, undefined, 'it found out by itself')
    assert.equal(clock.pending, 0)
    await note('z')
    assert.equal(notes(), `${kept.join('')}z`)
  })

  test('while the database can not write it is tried every second, until it can or the queue is closed', async () => {
    const readOnly = (on: boolean) => database.exec(`PRAGMA query_only = ${on ? 1 : 0}`)
    readOnly(true)
    await assert.rejects(note('a'), { code: 'unavailable' })
    assert.match(queue.trouble ?? '', /can only be read/)
    await clock.advance(3000)
    assert.match(queue.trouble ?? '', /can only be read/)
    readOnly(false)
    await clock.advance(1000)
    assert.equal(queue.trouble, undefined)
    readOnly(true)
    await assert.rejects(note('b'))
    queue.close()
    assert.equal(clock.pending, 0)
  })

  test('closing writes what is waiting; nothing is taken afterwards', async () => {
    const waiting = Promise.all(['a', 'b'].map(note))
    queue.close()
    await waiting
    assert.equal(notes(), 'ab')
    await assert.rejects(note('c'), { code: 'unavailable' })
  })
})
