import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../clock.ts'
import { readConfig } from '../config.ts'
import { rememberMasterKeys } from '../default-account.ts'
import { readMasterKeys, type Secrets } from '../key-files.ts'
import { silentLog } from '../log.ts'
import { openStore, type Place, type Store, type StoreOptions, sealedNumbers, shownUrl } from '../store/index.ts'
import { Failure, type Io } from './io.ts'

/** The installation that the environment means, its server running or not. */
export function placeOf(io: Io): Place {
  const { dataDir, database } = readConfig(io.env).settings
  return { dataDir, ...(database.url && { databaseUrl: database.url }) }
}

export const sqlitePath = ({ dataDir }: Place): string => join(dataDir, 'pincall.db')

/** As a person knows it; without the password of the database. */
export const shownPlace = (place: Place): string =>
  place.databaseUrl ? shownUrl(place.databaseUrl) : sqlitePath(place)

/** What opens the store of that installation: with the master keys it has, of which none is ever made here. */
export function storeOptions(io: Io): StoreOptions & { masterKeys: Secrets['masterKeys'] } {
  const { settings, secrets } = readConfig(io.env)
  const masterKeys = readMasterKeys(secrets, settings.dataDir)
  return {
    ...placeOf(io),
    poolSize: 2,
    masterKeys,
    numbers: sealedNumbers(masterKeys),
    clock: systemClock,
    log: silentLog,
  }
}

/**
 * Uses the installation's own database: made by the first start of the server, never by a command. Refuses master keys
 * that are not those of the database, under which its numbers could be neither read nor found.
 */
export async function withStore<T>(
  io: Io,
  use: (store: Store, masterKeys: Secrets['masterKeys']) => Promise<T>,
): Promise<T> {
  assertThere(placeOf(io))
  const options = storeOptions(io)
  const store = await openStore(options)
  try {
    await rememberMasterKeys(store, options.masterKeys)
    return await use(store, options.masterKeys)
  } finally {
    await store.close()
  }
}

export function assertThere(place: Place): void {
  if (place.databaseUrl || existsSync(sqlitePath(place))) return
  throw new Failure(
    `There is no database in ${place.dataDir}: start the server once (npm start), or set PINCALL_DATA_DIR to its data directory.`,
  )
}
