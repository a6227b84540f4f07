import { createInterface } from 'node:readline'
import { openPostgresStore } from '../../src/store/index.ts'
import { closedLoop } from './closed-loop.ts'
import { storeOptions } from './engines.ts'
import { drawnNumbers, makeParties, workOf } from './work.ts'

/**
 * A node that is nothing but its store, in a process of its own: `node bench/lib/store-node.ts <url> <which node>`. Told
 * `<spread or hot> <send or check> <at once> <operations>` on stdin, it does that and prints its figures as a line of JSON.
 * The first node makes the parties; the others are told them.
 */

const [, , url, which] = process.argv
const store = await openPostgresStore({ url, ...storeOptions })
const number = drawnNumbers(Number(which))
let works: Record<string, ReturnType<typeof workOf>> = {}

for await (const line of createInterface({ input: process.stdin })) {
  const [what, ...words] = line.split(' ')
  if (what === 'make')
    console.log(JSON.stringify({ spread: await makeParties(store, 50), hot: await makeParties(store, 1) }))
  else if (what === 'parties') {
    const parties = JSON.parse(words.join(' '))
    works = { spread: workOf(store, parties.spread, number), hot: workOf(store, parties.hot, number) }
    console.log('{}')
  } else {
    const [operation, atOnce, operations] = words
    const work = works[what]
    if (operation === 'send') work.forget()
    const count = operation === 'send' ? Number(operations) : 2 * work.sent()
    console.log(JSON.stringify(await closedLoop(Number(atOnce), count, operation === 'send' ? work.send : work.check)))
  }
}
await store.close()
