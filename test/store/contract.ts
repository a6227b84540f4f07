import { describe } from 'node:test'
import { accessContract } from './access.ts'
import { checkingContract } from './checking.ts'
import { correctingContract } from './correcting.ts'
import { deliveringContract } from './delivering.ts'
import { forgettingContract } from './forgetting.ts'
import { moneyContract } from './money.ts'
import { nodesContract } from './nodes.ts'
import { readingContract } from './reading.ts'
import { recoveringContract } from './recovering.ts'
import { resendingContract } from './resending.ts'
import { sendingContract } from './sending.ts'
import { setUpContract } from './set-up.ts'
import { trunksContract } from './trunks.ts'
import type { Engine } from './world.ts'

/** What every engine under the Store interface must do, asked through the interface alone. */
export function storeContract(name: string, engine: Engine): void {
  describe(`the store on ${name}`, () => {
    accessContract(engine)
    setUpContract(engine)
    sendingContract(engine)
    resendingContract(engine)
    checkingContract(engine)
    deliveringContract(engine)
    trunksContract(engine)
    recoveringContract(engine)
    correctingContract(engine)
    moneyContract(engine)
    readingContract(engine)
    forgettingContract(engine)
    nodesContract(engine)
  })
}
