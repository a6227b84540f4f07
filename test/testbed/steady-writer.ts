import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { openStore } from '../../src/store/index.ts'
import { makeWorld } from '../store/world.ts'
import { NUMBERS } from './full-installation.ts'

/** A server's stand-in: sends without pause into the database of a directory, and tells its parent which PINs are acknowledged. */
const store = await openStore({ dataDir: process.argv[2], numbers: NUMBERS, clock: systemClock, log: silentLog })
const world = await makeWorld(store, { balanceMicros: 1_000_000_000_000 })

async function send(): Promise<void> {
  while (process.connected) {
    const { pinId } = await world.send({ pin: { codeKeyId: 'k2' } })
    if (process.connected) process.send!([pinId], undefined, undefined, () => {})
  }
}

await Promise.all(Array.from({ length: 16 }, send))
