import { withStore } from './installation.ts'
import { Failure, type Io, paint } from './io.ts'

/** `pincall erase`: forgets a person. Exits with 1 where something of them had to stay. */
export async function erase(io: Io, number: string, options: { json?: true }): Promise<void> {
  const erased = await withStore(io, (store) => store.erase(number))
  const { pins, deliveries, attempts, events, counters, inProgress } = erased
  if (options.json) io.out(JSON.stringify(erased))
  else {
    io.out(
      `${paint(io, 'green', '✓')} Removed: ${pins} PINs, ${deliveries} deliveries, ${attempts} attempts, ${events} events, ${counters} limits that counted.`,
    )
    io.out('What was paid stays in the ledger, without whom. Backups, exports and logs of before are yours to see to.')
  }
  if (inProgress === 0) return
  throw new Failure(
    `${inProgress} PINs of this number stay, for a message or call to it is on its way: run this again in a minute or two.`,
  )
}
