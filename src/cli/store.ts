import { type Clock, systemClock } from '../clock.ts'
import { formatMicros } from '../money.ts'
import { backupSqlite, exportStore, importStore, inspectSqlite, type Store, type Totals } from '../store/index.ts'
import { assertThere, placeOf, shownPlace, sqlitePath, storeOptions, withStore } from './installation.ts'
import { Failure, type Io, paint } from './io.ts'

/** Where `-` leads. */
export type Streams = { input: NodeJS.ReadableStream; output: NodeJS.WritableStream }

const standard: Streams = { input: process.stdin, output: process.stdout }

/** `pincall store export`: what it says goes to stderr, stdout may be the export. */
export async function exportTo(
  io: Io,
  file: string,
  streams: Streams = standard,
  clock: Clock = systemClock,
): Promise<void> {
  const place = placeOf(io)
  assertThere(place)
  const { totals, unbalanced } = await exportStore(place, file === '-' ? streams.output : file, clock.now())
  if (unbalanced.length > 0) {
    throw new Failure(
      `The export is written, and an import will refuse it: the money of account ${unbalanced.join(', ')} does not add up. Please file an issue.`,
    )
  }
  io.err(
    `${done(io)} ${shownPlace(place)} is exported${file === '-' ? '' : ` to ${file}`}: ${inWords(counts(totals))}.`,
  )
  io.err('Numbers in it are sealed: it is of use only beside the same master key (secret.key or PINCALL_SECRET_KEY).')
}

/** `pincall store import`. */
export async function importFrom(io: Io, file: string, streams: Streams = standard): Promise<void> {
  const place = placeOf(io)
  const totals = await importStore(storeOptions(io), file === '-' ? streams.input : file)
  io.out(`${done(io)} ${shownPlace(place)} holds it all now: ${inWords(counts(totals))}.`)
  io.out('Counts, checksums and balances are those of the export. Start the servers here, and no longer there.')
}

/** `pincall store backup`: of the SQLite file, while a server has it open. */
export async function backUp(io: Io, file: string): Promise<void> {
  const place = placeOf(io)
  if (place.databaseUrl) {
    throw new Failure(
      `This installation is on PostgreSQL, which makes its own backups: pg_dump --format=custom --file=${file} "$PINCALL_DATABASE_URL" for one moment, pg_basebackup with WAL archiving for every moment.`,
    )
  }
  assertThere(place)
  const { bytes, rows } = await backupSqlite(sqlitePath(place), file)
  io.out(`${done(io)} ${file} is a whole copy (${(bytes / 1e6).toFixed(1)} MB, checked): ${inWords(rows)}.`)
  io.out(
    'To restore it: stop the server, put it in place of pincall.db, remove pincall.db-wal and pincall.db-shm, start.',
  )
  io.out('Keep the master key (secret.key or PINCALL_SECRET_KEY) too, but apart: who has both can read every number.')
}

/** PINs looked at between two words on how far it is. */
const PINS_PER_STEP = 1000

/** `pincall store reseal`: every number under the current master key, while servers run. */
export async function reseal(io: Io): Promise<void> {
  await withStore(io, async (store, [current, ...older]) => {
    let [looked, resealed] = [0, 0]
    for (let after: string | undefined = ''; after !== undefined; ) {
      const step: Awaited<ReturnType<Store['resealNumbers']>> = await store
        .resealNumbers({ after, most: PINS_PER_STEP })
        .catch(keyIsGone)
      resealed += step.resealed
      after = step.last
      if (after === undefined) break
      looked += PINS_PER_STEP
      if (looked % 100_000 === 0) io.err(`${looked} PINs looked at, ${resealed} numbers sealed anew …`)
    }
    io.out(`${done(io)} ${resealed} numbers are sealed anew: all are under the master key ${current.id} now.`)
    if (older.length === 0) {
      io.out(
        'There is no older key here. To change the key, put a new one first: PINCALL_SECRET_KEY=k2:<64 hex>,k1:<64 hex>.',
      )
      return
    }
    const names = older.map(({ id }) => id).join(', ')
    io.out(`Keep ${names} behind it for now: the codes of PINs come from the key with which the PIN was made.`)
    io.out(
      `Once every server runs with ${current.id} first, wait until the last PIN of before is over (pinTimeToLive: ` +
        `${days(await longestPinMs(store))} at most here), and a day for limits and idempotency keys. Then reseal once more, and remove it.`,
    )
  })
}

function keyIsGone(error: unknown): never {
  const { message } = error as Error
  if (!/master key/.test(message)) throw error
  throw new Failure(
    `${message} Put it behind the current one in secret.key or PINCALL_SECRET_KEY, and run this again.`,
    1,
    {
      cause: error,
    },
  )
}

async function longestPinMs(store: Store): Promise<number> {
  let longest = 0
  for (const { accountId } of await store.listAccounts()) {
    for (const { settings } of await store.listApplications(accountId))
      longest = Math.max(longest, settings.pinTimeToLive.ms)
  }
  return longest
}

const days = (ms: number) => {
  const minutes = Math.ceil(ms / 60_000)
  if (minutes < 120) return `${minutes} minutes`
  return minutes < 48 * 60 ? `${Math.ceil(minutes / 60)} hours` : `${Math.ceil(minutes / 1440)} days`
}

/** `pincall store check`: does the money add up, is the file whole, what waits. Fails where something is wrong. */
export async function check(io: Io, options: { json?: true }): Promise<void> {
  const place = placeOf(io)
  const found = await withStore(io, async (store) => ({
    driftMicros: await store.ledgerDrift(),
    ...(await store.backlog()),
    ...(!place.databaseUrl && { file: inspectSqlite(sqlitePath(place)).damage }),
  }))
  if (options.json) io.out(JSON.stringify(found))
  else {
    const { driftMicros, owed, claimed, file } = found
    const word = (fine: boolean) => (fine ? paint(io, 'green', '✓') : paint(io, 'red', '✗'))
    io.out(
      `${word(driftMicros === 0)} balances and ledger, reserves and open deliveries: ${formatMicros(driftMicros)} apart`,
    )
    if (file !== undefined) io.out(`${word(file === 'ok')} ${sqlitePath(place)}: ${file}`)
    io.out(`${done(io)} deliveries: ${owed} wait, ${claimed} are on their way`)
  }
  if (found.driftMicros !== 0)
    throw new Failure('The money does not add up: please file an issue with `pincall store check --json`.')
  if ((found.file ?? 'ok') !== 'ok') {
    throw new Failure('The file is damaged: stop the server, keep a copy of it, and restore the last backup.')
  }
}

const done = (io: Io) => paint(io, 'green', '✓')

const counts = ({ tables }: Totals): Record<string, number> =>
  Object.fromEntries(Object.entries(tables).map(([name, { rows }]) => [name, rows]))

const inWords = (rows: Record<string, number>): string =>
  ['accounts', 'pins', 'deliveries', 'attempts', 'events']
    .map((name) => `${rows[name]} ${name === 'pins' ? 'PINs' : name}`)
    .join(', ')
