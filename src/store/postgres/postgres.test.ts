import { after } from 'node:test'
import { storeContract } from '../../../test/store/contract.ts'
import { TEST_NUMBERS } from '../../../test/store/world.ts'
import { testDatabases } from '../../../test/testbed/postgres.ts'
import { silentLog } from '../../log.ts'
import { openPostgresStore } from '../index.ts'

const databases = await testDatabases()
after(() => databases[Symbol.asyncDispose]())

storeContract('PostgreSQL', {
  freshPlace: () => databases.freshDatabase(),
  open: (url, options) => openPostgresStore({ url, log: silentLog, numbers: TEST_NUMBERS, ...options }),
})
