import type { Clock, Timer } from '../../clock.ts'
import { PincallError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { StoredEvent } from '../types.ts'
import type { Database } from './database.ts'
import { isOutage, sentenceOf, unavailable } from './outage.ts'

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

/** While the database can not write, it is tried so often, also where nobody asks: whoever watches learns that it can again. */
const PROBE_MS = 1000

export type QueueOptions = { log: Log; clock: Pick<Clock, 'after'>; publish(event: StoredEvent): void }

/**
 * Every write goes through here. What arrives in one turn of the event loop, or while a commit is running, shares one
 * transaction and so one fsync; a savepoint for each keeps a refusal or an error from touching its neighbours. Promises
 * resolve after the commit: what was answered is on the disk. One write alone waits for nobody.
 */
export class WriteQueue {
  readonly #database: Database
  readonly #options: QueueOptions
  readonly #begin
  readonly #commit
  readonly #savepoint
  readonly #release
  readonly #undo
  readonly #touch
  #waiting: Item[] = []
  #scheduled = false
  #closed = false
  #trouble: string | undefined
  #probe: Timer | undefined

  constructor(database: Database, options: QueueOptions) {
    this.#database = database
    this.#options = options
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
    this.#savepoint = database.prepare('SAVEPOINT item')
    this.#release = database.prepare('RELEASE item')
    this.#undo = database.prepare('ROLLBACK TO item')
    this.#touch = database.prepare('PRAGMA user_version = 0') // writes a page, and changes nothing
  }

  /** Undefined while writes succeed; else what is wrong. */
  get trouble(): string | undefined {
    return this.#trouble
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
    this.#probe?.cancel()
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
    const outages: unknown[] = []
    try {
      this.#begin.run()
      for (const item of batch) this.#runOne(item, done, outages)
      this.#commit.run()
    } catch (error) {
      this.#giveUp(batch, error)
      return
    }
    this.#notice(outages[0])
    for (const { events } of done) for (const event of events) this.#options.publish(event)
    for (const { item, answer } of done) item.resolve(answer)
  }

  /** Runs an item between its savepoint and the release. Throws only where the whole transaction is lost. */
  #runOne(item: Item, done: Done[], outages: unknown[]): void {
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
      if (isOutage(error)) outages.push(error)
      item.reject(isOutage(error) ? unavailable(error) : error)
    }
    this.#release.run()
  }

  /** Nothing of the batch is written. Whoever was rejected already stays so: a promise settles once. */
  #giveUp(batch: readonly Item[], error: unknown): void {
    try {
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK')
    } catch (second) {
      this.#options.log.error({ err: second }, 'the database could not roll back')
    }
    this.#options.log.error(
      { err: error, writes: batch.length },
      'the database could not commit: these writes are undone',
    )
    this.#notice(error)
    const rejection = unavailable(error)
    for (const item of batch) item.reject(rejection)
  }

  /** An outage begins, goes on, or is over. */
  #notice(outage: unknown): void {
    const { log } = this.#options
    if (outage === undefined) {
      if (this.#trouble !== undefined) log.info('the database writes again')
      this.#trouble = undefined
      this.#probe?.cancel()
      this.#probe = undefined
      return
    }
    if (this.#trouble === undefined) log.error({ err: outage }, 'the database can not write')
    this.#trouble = sentenceOf(outage)
    if (!this.#closed) this.#tryLater()
  }

  #tryLater(): void {
    this.#probe ??= this.#options.clock.after(PROBE_MS, () => {
      this.#probe = undefined
      this.write(() => this.#touch.run()).catch(() => {}) // said already
    })
  }
}
