import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ArrivedCall } from '../../src/sandbox/index.ts'
import { startNodes } from '../testbed/nodes.ts'
import { openPhones } from '../testbed/phones.ts'
import { testDatabases } from '../testbed/postgres.ts'
import { setUp } from '../testbed/running-server.ts'

const REQUESTS = 12
const NODES = 3

/**
 * Sends to as many numbers at once over three nodes with one trunk that is limited so, again and again until so many calls
 * were placed; what the phones lived through.
 */
async function calls(
  limit: string,
  ending: string,
  least: number,
): Promise<{ answers: string[]; phones: ArrivedCall[] }> {
  await using databases = await testDatabases()
  await using phones = await openPhones()
  await using nodes = await startNodes({
    databaseUrl: await databases.freshDatabase(),
    count: NODES,
    config: phones.peering(`ringTimeoutS: 30, noResponseMs: 30000, ${limit}`, 1),
    env: { PINCALL_CALL_WAIT_S: '60' },
  })
  const { applicationId, messageId } = await setUp(nodes)
  // Speech is made once a node before it matters: then all of them dial at once.
  for (const place of nodes.up())
    await nodes.node(place).call('POST', '/2fa/1/pin/voice', { applicationId, messageId, to: `4179310${place}191` })
  const ask = async (_: unknown, i: number) => {
    const body = { applicationId, messageId, to: `41793${2000 + i}${ending}` }
    const answer = await nodes.call('POST', '/2fa/1/pin/voice', body)
    assert.equal(answer.status, 200, answer.text)
    return String(answer.body.callStatus)
  }
  const placed = () => phones.calls().filter(({ to }) => to.endsWith(ending) && !to.startsWith('4179310'))
  const answers: string[] = []
  for (let wave = 0; wave < 300 && placed().length < least; wave++)
    answers.push(...(await Promise.all(Array.from({ length: REQUESTS }, (_, i) => ask(_, wave * REQUESTS + i)))))
  return { answers, phones: placed() }
}

test('a trunk that carries two calls carries two over all nodes, as the phones count', async () => {
  const { answers, phones } = await calls('concurrency: 2', '96', 1)
  const moments = phones.flatMap(({ startedAt, endedAt }) => [
    { at: startedAt, change: 1 },
    { at: endedAt!, change: -1 },
  ])
  moments.sort((a, b) => a.at - b.at || a.change - b.change)
  let up = 0
  let most = 0
  for (const { change } of moments) {
    up += change
    most = Math.max(most, up)
  }
  assert.equal(most, 2, JSON.stringify(answers))
  assert.equal(
    phones.length,
    answers.filter((status) => status === 'UNDEFINED').length,
    'one call for each that was placed',
  )
  assert.equal(
    answers.filter((status) => status === 'ERROR_ROUTE_NOT_AVAILABLE').length,
    answers.length - phones.length,
  )
})

test('a trunk that takes three calls a second takes three over all nodes, as the phones count', async () => {
  const { answers, phones } = await calls('callsPerSecond: 3', '95', 7)
  const begun = phones.map(({ startedAt }) => startedAt).sort((a, b) => a - b)
  // On its way to the phone an INVITE may be late by what a busy machine needs, so a second is a little less here.
  for (const [i, at] of begun.entries())
    assert.ok(begun.filter((other) => other >= at && other < at + 800).length <= 3, `from call ${i} on: ${begun}`)
  assert.ok(phones.length >= 7, JSON.stringify(answers))
})
