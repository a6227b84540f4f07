import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { startNodes } from '../testbed/nodes.ts'
import { openPhones } from '../testbed/phones.ts'
import { testDatabases } from '../testbed/postgres.ts'
import { setUp } from '../testbed/running-server.ts'

const OFF_MS = [4000, -4000, 0]

test('nodes whose clocks are four seconds off either way are one: the database’s clock decides', async () => {
  await using databases = await testDatabases()
  await using phones = await openPhones()
  const shift = pathToFileURL(resolve(import.meta.dirname, '../testbed/shifted-clock.mjs'))
  await using nodes = await startNodes({
    databaseUrl: await databases.freshDatabase(),
    count: OFF_MS.length,
    config: phones.peering('ringTimeoutS: 30, noResponseMs: 30000'),
    env: (place) => ({ NODE_OPTIONS: `--import "${shift}?ms=${OFF_MS[place]}"` }),
  })
  const [ahead, behind, right] = nodes.up().map(nodes.node)
  const { applicationId, messageId } = await setUp(nodes, { configuration: { verifyPinLimit: '1/3s' } })
  const to = '41793026791' // busy: the call is over soon
  const sent = await ahead.call('POST', '/2fa/1/pin/voice', { applicationId, messageId, to })
  assert.equal(sent.body.callStatus, 'ERROR_USER_BUSY', sent.text)
  const { pinId } = sent.body

  // one check in three seconds: a node four seconds ahead would let the second one through
  const guess = (node: typeof ahead) => node.call('POST', `/2fa/2/pin/${pinId}/verify`, { pin: 'none' })
  assert.equal((await guess(behind)).status, 200)
  assert.equal((await guess(ahead)).status, 429)

  // ten seconds between two resends: by its own clock the one behind would ask for fourteen
  const resend = (node: typeof ahead) => node.call('POST', `/2fa/1/pin/${pinId}/resend/voice`)
  assert.equal((await resend(ahead)).status, 200)
  const again = await resend(behind)
  assert.equal(again.status, 429, again.text)
  const waitS = Number(again.headers.get('retry-after'))
  assert.ok(waitS >= 5 && waitS <= 10, `${waitS} s`)

  // made by one node, told by another: times are the database's
  const calls: { createdAt?: unknown }[] = JSON.parse((await right.call('GET', `/pincall/1/pins/${pinId}/calls`)).text)
  assert.equal(calls.length, 2)
})
