import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { storeContract } from '../../../test/store/contract.ts'
import { TEST_NUMBERS } from '../../../test/store/world.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import { openSqliteStore } from '../index.ts'

const folder = mkdtempSync(join(tmpdir(), 'pincall-store-'))
after(() => rmSync(folder, { recursive: true }))

let places = 0
storeContract('SQLite', {
  freshPlace: async () => join(folder, `${++places}.db`),
  open: (path, options) =>
    openSqliteStore({ path, log: silentLog, clock: systemClock, numbers: TEST_NUMBERS, ...options }),
})
