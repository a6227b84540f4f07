import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import { makeListeners } from '../listeners.ts'
import type { Numbers } from '../numbers.ts'
import type { Store, StoredEvent } from '../types.ts'
import { type Database, openDatabase } from './database.ts'
import { accessOf, deliveriesOf, eventsOf, housekeepingOf, moneyOf, pinsOf, setUpOf } from './operations.ts'
import { WriteQueue } from './write-queue.ts'

export type SqliteOptions = {
  /** A file on a local disk, or `:memory:`. */
  path: string
  log: Log
  /** Decides here, and for every node on this file: they share the machine. */
  clock: Clock
  numbers: Numbers
}

export async function openSqliteStore(options: SqliteOptions): Promise<Store> {
  return storeOn(openDatabase(options), options)
}

/** The store over an open database: every statement is compiled here, once. Writes go through the queue, reads go straight. */
export function storeOn(database: Database, { log, clock, numbers }: Omit<SqliteOptions, 'path'>): Store {
  const listeners = makeListeners<StoredEvent>(log)
  const queue = new WriteQueue(database, { log, clock, publish: listeners.publish })
  let closed = false
  return {
    clock,
    trouble: () => queue.trouble,
    ...accessOf(database, queue),
    ...setUpOf(database, queue),
    ...pinsOf(database, queue, numbers),
    ...deliveriesOf(database, queue, numbers),
    ...moneyOf(database, queue),
    ...eventsOf(database, queue),
    ...housekeepingOf(database, queue, numbers),
    onEvent: listeners.add,
    close: async () => {
      if (closed) return
      closed = true
      queue.close()
      database.close()
    },
  }
}
