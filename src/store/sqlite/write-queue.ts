import { PincallError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { StoredEvent } from '../types.ts'
import type { Database } from './database.ts'

/** What an operation may do beside its statements. */
export type Tx = {
  /** Undoes everything that this operation wrote; its answer is given all the same. */
  refuse<T>(answer: T): T
  /** Tells listeners of an event once it is committed. */
  tell(event: StoredEvent): void
}

type Item = {
  run(tx: Tx): unknown
  resolve(answer: unknown): void
  reject(error: unknown): void
}
type Done = { item: Item; answer: unknown; events: readonly StoredEvent[] }

/** So many share one commit at most, so that nobody waits long for the others. */
const MOST_PER_COMMIT = 256

/**
 * Every write goes through here. What arrives in one turn of the event loop, or while a commit is running, shares one
 * transaction and so one fsync; a savepoint for each keeps a refusal or an error from touching its neighbours. Promises
 * resolve after the commit: what was answered is on the disk. One write alone waits for nobody.
 */
export class WriteQueue {
  readonly #database: Database
  readonly #log: Log
  readonly #publish: (event: StoredEvent) => void
  readonly #begin
  readonly #commit
  readonly #savepoint
  readonly #release
  readonly #undo
  #waiting: Item[] = []
  #scheduled = false
  #closed = false

  constructor(database: Database, log: Log, publish: (event: StoredEvent) => void) {
    this.#database = database
    this.#log = log
    this.#publish = publish
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
    this.#savepoint = database.prepare('SAVEPOINT item')
    this.#release = database.prepare('RELEASE item')
    this.#undo = database.prepare('ROLLBACK TO item')
  }

  write<T>(run: (tx: Tx) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) return reject(new PincallError('unavailable', 'The store is closed.'))
      this.#waiting.push({ run, resolve: (answer) => resolve(answer as T), reject })
      this.#schedule()
    })
  }

  /** Writes what is still waiting; nothing is accepted afterwards. */
  close(): void {
    this.#closed = true
    while (this.#waiting.length > 0) this.#flush()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    // after the poll phase: every request that a turn read from its sockets is in the queue by then
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
      if (this.#waiting.length > 0) this.#schedule()
    })
  }

  #flush(): void {
    const batch = this.#waiting.splice(0, MOST_PER_COMMIT)
    if (batch.length === 0) return
    const done: Done[] = []
    try {
      this.#begin.run()
      for (const item of batch) this.#runOne(item, done)
      this.#commit.run()
    } catch (error) {
      this.#giveUp(batch, error)
      return
    }
    for (const { events } of done) for (const event of events) this.#publish(event)
    for (const { item, answer } of done) item.resolve(answer)
  }

  /** Runs an item between its savepoint and the release. Throws only where the whole transaction is lost. */
  #runOne(item: Item, done: Done[]): void {
    let refused = false
    const events: StoredEvent[] = []
    const tx: Tx = {
      refuse(answer) {
        refused = true
        return answer
      },
      tell: (event) => events.push(event),
    }
    this.#savepoint.run()
    try {
      const answer = item.run(tx)
      if (refused) this.#undo.run()
      done.push({ item, answer, events: refused ? [] : events })
    } catch (error) {
      if (!this.#database.inTransaction) throw error // SQLite rolled everything back by itself
      this.#undo.run()
      item.reject(isOutage(error) ? unavailable(error) : error)
    }
    this.#release.run()
  }

  /** Nothing of the batch is written. Whoever was rejected already stays so: a promise settles once. */
  #giveUp(batch: readonly Item[], error: unknown): void {
    try {
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK')
    } catch (second) {
      this.#log.error({ err: second }, 'the database could not roll back')
    }
    this.#log.error({ err: error, writes: batch.length }, 'the database could not commit: these writes are undone')
    const rejection = unavailable(error)
    for (const item of batch) item.reject(rejection)
  }
}

const unavailable = (cause: unknown) =>
  new PincallError('unavailable', 'The database can not write at the moment: nothing was changed, try again.', {
    retryAfterMs: 1000,
    cause,
  })

/** BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN: the database's trouble, not the request's. */
const OUTAGES = new Set([5, 6, 7, 8, 10, 11, 13, 14])

const isOutage = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && OUTAGES.has(error.errcode & 0xff)
