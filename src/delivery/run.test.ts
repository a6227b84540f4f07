import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LEASE_MS, type Node, openNodes, trunk } from './testbed.ts'

const said = (node: Node, words: RegExp) => node.lines.some(({ msg }) => words.test(String(msg)))

test('a code is delivered by the node that is woken, and what it cost is charged', async () => {
  await using nodes = await openNodes()
  const { world } = nodes
  const node = nodes.start('a')
  const { deliveryId } = await world.send({ delivery: { reserveMicros: 1000 } })
  node.deliveries.wake('voice')
  await nodes.within(0, () => node.calls.length === 1)
  assert.equal(node.calls[0].uri, 'sip:+41793026727@192.0.2.1:5060')
  node.calls[0].end({ talkMs: 10_000 })
  await nodes.within(0, async () => (await nodes.delivery(deliveryId)).state === 'closed')
  const { disposition, chargedMicros } = await nodes.delivery(deliveryId)
  assert.deepEqual([disposition, chargedMicros], ['heard', 100])
})

test('owed work that nobody was woken for is found by looking', async () => {
  await using nodes = await openNodes()
  const node = nodes.start('a')
  await nodes.world.send({ delivery: { channel: 'sms' } })
  await nodes.within(7, () => node.texts.length === 1)
  assert.deepEqual(node.texts, ['Your code is 1234'])
})

test('an idle node asks one question about every five seconds, and nothing else', async () => {
  await using nodes = await openNodes()
  const { database } = nodes.start('a')
  await nodes.clock.advance(10 * 60_000)
  assert.deepEqual(new Set(database.asked), new Set(['look']))
  assert.ok(database.asked.length >= 100 && database.asked.length <= 150, `${database.asked.length} in ten minutes`)
})

test('a trunk’s limits hold over all nodes: where it is full the call takes the next route, and without one it ends', async () => {
  await using nodes = await openNodes([trunk('first', { concurrency: 1 }), trunk('second', { concurrency: 1 })])
  const [a, b] = [nodes.start('a'), nodes.start('b')]
  const sent = [await nodes.world.send(), await nodes.world.send(), await nodes.world.send()]
  a.deliveries.wake('voice')
  await nodes.within(0, async () => (await nodes.delivery(sent[2].deliveryId)).state === 'closed')
  assert.equal(a.calls.length, 2)
  const late = await nodes.world.send()
  b.deliveries.wake('voice')
  await nodes.within(0, async () => (await nodes.delivery(late.deliveryId)).state === 'closed')
  assert.equal(b.calls.length, 0, 'what another node carries counts')
  const attempts = await Promise.all(sent.map(({ deliveryId }) => nodes.store.attemptsOf(deliveryId)))
  assert.deepEqual(
    attempts.map((each) => each.map((attempt) => attempt.trunk)),
    [['first'], ['second'], []],
  )
  const { disposition, evidence } = await nodes.delivery(sent[2].deliveryId)
  assert.equal(disposition, 'trunk_failed')
  assert.deepEqual(evidence?.tried, [
    { trunk: 'first', full: true },
    { trunk: 'second', full: true },
  ])
})

test('a quick 486 from a trunk at its calls per second is the trunk’s own, not the user’s', async () => {
  await using nodes = await openNodes([trunk('carrier', { callsPerSecond: 1 })])
  const node = nodes.start('a')
  const { deliveryId } = await nodes.world.send()
  node.deliveries.wake('voice')
  await nodes.within(0, () => node.calls.length === 1)
  const failure = { status: 486, reason: 'Busy Here', rang: false }
  node.calls[0].end({ rang: false }, { kind: 'failed', failure })
  await nodes.within(0, async () => (await nodes.delivery(deliveryId)).disposition === 'trunk_failed')
})

test('where the database is away when an attempt is to begin nothing leaves, and the code goes out once it is back', async () => {
  await using nodes = await openNodes()
  const node = nodes.start('a')
  const { deliveryId } = await nodes.world.send()
  node.database.takeAway('beginAttempt', 'unclaim')
  node.deliveries.wake('voice')
  await nodes.clock.advance(10_000)
  assert.equal(node.calls.length, 0)
  node.database.bringBack()
  await nodes.within(15, () => node.calls.length === 1)
  await nodes.clock.advance(2 * LEASE_MS)
  assert.equal(node.calls.length, 1, 'and once only')
  assert.equal((await nodes.store.attemptsOf(deliveryId)).length, 1)
})

test('where nobody knows whether an attempt was begun nothing leaves, and the delivery ends as abandoned', async () => {
  await using nodes = await openNodes()
  const node = nodes.start('a')
  const { deliveryId } = await nodes.world.send()
  node.database.loseAnswers('beginAttempt')
  node.deliveries.wake('voice')
  await nodes.within(60, async () => (await nodes.delivery(deliveryId)).disposition === 'abandoned')
  assert.equal(node.calls.length, 0)
})

for (const lost of ['takeAway', 'loseAnswers'] as const) {
  test(`the end of a call outlives a database that is away for a minute (${lost}): written once, with its own time`, async () => {
    await using nodes = await openNodes()
    const node = nodes.start('a')
    const { deliveryId } = await nodes.world.send()
    node.deliveries.wake('voice')
    await nodes.within(0, () => node.calls.length === 1)
    await nodes.clock.advance(3000)
    node.database[lost]()
    const endedAt = nodes.clock.now()
    node.calls[0].end({ talkMs: 10_000 })
    await nodes.clock.advance(60_000)
    node.database.bringBack()
    await nodes.within(10, () => node.deliveries.running === 0)
    const { state, disposition, chargedMicros, closedAt } = await nodes.delivery(deliveryId)
    assert.deepEqual([state, disposition, chargedMicros, closedAt], ['closed', 'heard', 100, endedAt])
    assert.equal((await nodes.store.balance(nodes.world.accountId)).balanceMicros, 1_000_000 - 100)
    assert.equal(await nodes.store.ledgerDrift(), 0)
  })
}

test('an outcome that could not be recorded at once is recorded while the call goes on', async () => {
  await using nodes = await openNodes()
  const node = nodes.start('a')
  const { deliveryId } = await nodes.world.send()
  node.deliveries.wake('voice')
  await nodes.within(0, () => node.calls.length === 1)
  node.database.takeAway('recordOutcome')
  node.calls[0].heard()
  await nodes.clock.advance(2000)
  assert.equal((await nodes.delivery(deliveryId)).disposition, undefined)
  node.database.bringBack()
  await nodes.within(5, async () => (await nodes.delivery(deliveryId)).disposition === 'heard')
  assert.equal((await nodes.delivery(deliveryId)).state, 'claimed')
})

test('after an outage longer than a lease no node ends another’s calls, for all of them say that they live', async () => {
  await using nodes = await openNodes()
  const [a, b] = [nodes.start('a'), nodes.start('b')]
  const { deliveryId } = await nodes.world.send()
  a.deliveries.wake('voice')
  await nodes.within(0, () => a.calls.length === 1)
  for (const { database } of [a, b]) database.takeAway()
  await nodes.clock.advance(2 * LEASE_MS)
  for (const { database } of [a, b]) database.bringBack()
  await nodes.clock.advance(LEASE_MS)
  assert.equal((await nodes.delivery(deliveryId)).state, 'claimed')
  a.calls[0].end()
  await nodes.within(0, async () => (await nodes.delivery(deliveryId)).disposition === 'heard')
})

test('what a dead node had begun is ended within lease and a little, and nobody is redialled; the rest is carried out', async () => {
  await using nodes = await openNodes()
  const { world, clock } = nodes
  const [begun, claimed] = [await world.send(), await world.send()]
  await world.claimAndBegin(begun.deliveryId, clock.now()) // by a node that is never heard of again
  const node = nodes.start('b')
  await nodes.within(45, async () => (await nodes.delivery(begun.deliveryId)).disposition === 'abandoned')
  await nodes.within(1, () => node.calls.length === 1)
  assert.equal((await nodes.store.attemptsOf(claimed.deliveryId)).length, 1)
  assert.equal((await nodes.store.attemptsOf(begun.deliveryId)).length, 1, 'the dead node’s own')
  assert.ok(said(node, /a node went away/))
})

test('a node that was only slow: its call was ended as abandoned, and gets its true end once it comes', async () => {
  await using nodes = await openNodes()
  const [slow, other] = [nodes.start('a'), nodes.start('b')]
  const { deliveryId } = await nodes.world.send()
  slow.deliveries.wake('voice')
  await nodes.within(0, () => slow.calls.length === 1)
  slow.database.takeAway('extendLeases', 'look')
  await nodes.within(45, async () => (await nodes.delivery(deliveryId)).disposition === 'abandoned')
  slow.database.bringBack()
  await nodes.clock.advance(LEASE_MS)
  assert.equal(other.calls.length, 0, 'nobody is redialled')
  slow.calls[0].end({ talkMs: 10_000 })
  await nodes.within(1, async () => (await nodes.delivery(deliveryId)).disposition === 'heard')
  const kinds = (await nodes.store.eventsAfter(nodes.world.accountId, 0, 10)).map(({ kind }) => kind)
  assert.deepEqual(kinds, ['delivery.closed', 'delivery.corrected'])
  assert.ok(said(slow, /this node was slow/))
  assert.deepEqual(
    slow.observed.filter(({ kind }) => kind === 'lease_lost'),
    [{ kind: 'lease_lost' }],
  )
})

test('a node whose lease is over begins nothing: whoever took the delivery over does', async () => {
  await using nodes = await openNodes()
  let speak = () => {}
  const speaking = new Promise<never>((resolve) => {
    speak = () => resolve({} as never)
  })
  const slow = nodes.start('a', { speech: { prepare: () => speaking } })
  const { deliveryId } = await nodes.world.send()
  slow.deliveries.wake('voice')
  await nodes.within(0, () => slow.deliveries.running === 1)
  slow.database.takeAway('extendLeases', 'look')
  const other = nodes.start('b')
  await nodes.within(45, () => other.calls.length === 1)
  speak()
  await nodes.within(0, () => slow.deliveries.running === 0)
  assert.equal(slow.calls.length, 0)
  assert.ok(said(slow, /taken over by another node/))
  assert.deepEqual(
    slow.observed.map(({ kind }) => kind),
    ['prompts', 'lease_lost'],
  )
  assert.equal((await nodes.store.attemptsOf(deliveryId)).length, 1)
})

test('a full node asks others for help, at most once a second; one with a free hand helps, a full one does not ask back', async () => {
  await using nodes = await openNodes()
  const full = nodes.start('a', { most: { voice: 1, sms: 1 } })
  for (let i = 0; i < 3; i++) {
    await nodes.world.send()
    full.deliveries.wake('voice')
    await nodes.within(0, () => full.calls.length === 1)
  }
  await nodes.within(0, () => full.asksForHelp.length > 0)
  assert.deepEqual(full.asksForHelp, ['voice'])
  full.helpAsked('voice')
  assert.deepEqual(full.asksForHelp, ['voice'])
  const free = nodes.start('b')
  free.helpAsked('voice')
  await nodes.within(0, () => free.calls.length === 2)
  full.calls[0].end()
  await nodes.within(0, () => full.deliveries.running === 0)
  assert.equal(full.calls.length, 1)
})

test('a node that had no place takes more as soon as one is free', async () => {
  await using nodes = await openNodes()
  const node = nodes.start('a', { most: { voice: 1, sms: 1 } })
  await nodes.world.send()
  await nodes.world.send()
  node.deliveries.wake('voice')
  await nodes.within(0, () => node.calls.length === 1)
  node.calls[0].end()
  await nodes.within(0, () => node.calls.length === 2)
})

test('draining takes nothing new, lets calls end, and then hangs up', async () => {
  await using nodes = await openNodes()
  const node = nodes.start('a')
  const { deliveryId } = await nodes.world.send()
  node.deliveries.wake('voice')
  await nodes.within(0, () => node.calls.length === 1)
  let drained = false
  const draining = node.deliveries.drain(20_000).then(() => {
    drained = true
  })
  await nodes.world.send()
  node.deliveries.wake('voice')
  await nodes.clock.advance(19_000)
  assert.equal(drained, false)
  await nodes.within(2, () => drained)
  await draining
  assert.equal(node.calls.length, 1)
  assert.equal((await nodes.delivery(deliveryId)).disposition, 'abandoned')
  assert.equal((await nodes.store.backlog()).owed, 1)
  assert.equal(nodes.clock.pending, 0, 'no timer is left')
})

test('a database that stays away does not hold the end of the program up', async () => {
  await using nodes = await openNodes()
  const node = nodes.start('a')
  await nodes.world.send()
  node.deliveries.wake('voice')
  await nodes.within(0, () => node.calls.length === 1)
  node.database.takeAway()
  node.calls[0].end()
  let drained = false
  void node.deliveries.drain(1000).then(() => {
    drained = true
  })
  await nodes.within(10, () => drained)
  assert.ok(said(node, /recovery will close it/))
  assert.equal(nodes.clock.pending, 0, 'no timer is left')
})
