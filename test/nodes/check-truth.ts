import assert from 'node:assert/strict'
import type { ArrivedCall } from '../../src/sandbox/index.ts'
import type { Store, StoredEvent } from '../../src/store/index.ts'
import type { Nodes } from '../testbed/nodes.ts'
import type { Phones } from '../testbed/phones.ts'
import { type Book, PIN_ATTEMPTS, type Told } from './load.ts'

type World = { nodes: Nodes; phones: Phones; store: Store }
type Call = { deliveryId: string; state: string; callStatus: string; disposition: string; attempts: unknown[] }

/** The sandbox remembers no more calls: beyond, the phones could not count. */
const CALLS_REMEMBERED = 1000

/** On a starved machine sound comes late, and a phone may not understand what it received; some phones must, see below. */
const LONG_ENOUGH_FOR_A_CODE_MS = 5000

/** What a phone must have lived through where a call to it is said to have ended so. */
const LIVED: Record<string, (call: ArrivedCall) => boolean> = {
  heard: (call) => call.code !== undefined || (call.audioMs ?? 0) > LONG_ENOUGH_FOR_A_CODE_MS,
  machine: (call) => call.answeredAt !== undefined && call.code === undefined,
  lost: (call) => call.answeredAt !== undefined,
  busy: (call) => call.status === 486,
  declined: (call) => call.status === 603,
  number_unknown: (call) => call.status === 404,
  abandoned: () => true,
}

/** Holds everything that clients were told, and everything that is kept, against what the phones lived through. */
export async function checkTruth(book: Book, world: World): Promise<void> {
  const { phones, store } = world
  assert.deepEqual(book.unexpected, [])
  assert.ok(phones.calls().length < CALLS_REMEMBERED, 'the phones remember every call')
  assert.ok(book.told.filter(({ pinId }) => pinId).length >= 30, `only ${book.told.length} PINs: that was no load`)
  const ended = new Map<string, string>() // deliveryId → disposition
  for (const told of book.told) await checkPin(told, world, ended)
  for (const { deliveryId, disposition } of book.seen) {
    const now = ended.get(deliveryId)
    assert.ok(disposition === now || disposition === 'abandoned', `${deliveryId} was ${disposition} and is ${now}`)
  }
  const [heard, understood] = [(call: ArrivedCall) => call.answeredAt !== undefined, (call: ArrivedCall) => call.code]
  const answered = phones.calls().filter(heard)
  assert.ok(answered.filter(understood).length * 4 >= answered.length, 'few phones understood a code')
  await checkEvents(book, store, ended)
  assert.equal(await store.ledgerDrift(), 0)
  const [{ accountId }] = await store.listAccounts()
  assert.equal((await store.balance(accountId)).reservedMicros, 0)
}

async function checkPin(told: Told, { nodes, phones }: World, ended: Map<string, string>): Promise<void> {
  const { to, pinId, callStatus } = told
  await phones.settled(to, 10_000)
  const rang = phones.calls(to)
  assert.ok(rang.length <= 1, `${to} was dialled ${rang.length} times for one request`)
  if (!pinId) return
  const answer = await nodes.call('GET', `/pincall/1/pins/${pinId}/calls`)
  assert.equal(answer.status, 200, `the acknowledged PIN ${pinId} is gone: ${answer.text}`)
  const calls: Call[] = JSON.parse(answer.text)
  assert.equal(calls.length, 1, `${pinId} has ${calls.length} calls`)
  const [{ deliveryId, state, disposition, attempts, ...call }] = calls
  ended.set(deliveryId, disposition)
  assert.equal(state, 'closed')
  assert.ok(attempts.length <= 1, `${attempts.length} attempts at ${to}`)
  assert.ok(LIVED[disposition], `${to} ended as ${disposition}`)
  if (disposition !== 'abandoned') {
    assert.equal(rang.length, 1, `${to} ended as ${disposition}, and it never rang`)
    assert.ok(
      LIVED[disposition](rang[0]),
      `${to} ended as ${disposition}: ${JSON.stringify({ ...rang[0], code: '…' })}`,
    )
  }
  if (callStatus !== 'PROCESSING' && callStatus !== 'UNDEFINED') assert.equal(callStatus, call.callStatus, to)
  await checkChecks(told, nodes)
}

/** Acknowledged checks were counted, each once: one more leaves what they left, less one. */
async function checkChecks(told: Told, nodes: Nodes): Promise<void> {
  const { pinId, checksLeft, unknownChecks, verified } = told
  const answer = await nodes.call('POST', `/2fa/2/pin/${pinId}/verify`, { pin: 'wrong' })
  if (verified) assert.equal(answer.body.pinError, 'NO_MORE_PIN_ATTEMPTS', `${pinId} was verified: ${answer.text}`)
  if (verified || answer.body.pinError === 'NO_MORE_PIN_ATTEMPTS') return // a right check without an answer counted
  assert.equal(new Set(checksLeft).size, checksLeft.length, `told twice: ${checksLeft}`)
  const left = Number(answer.body.attemptsRemaining)
  const most = PIN_ATTEMPTS - checksLeft.length - 1
  assert.ok(left <= most && left >= most - unknownChecks, `${pinId}: ${left} checks left, told ${checksLeft}`)
}

/** The log has no gaps, and tells of each call one end, corrected at most once and only from abandoned. */
async function checkEvents(book: Book, store: Store, ended: Map<string, string>): Promise<void> {
  const [{ accountId }] = await store.listAccounts()
  const events: StoredEvent[] = []
  for (let page = await store.eventsAfter(accountId, 0, 500); page.length > 0; ) {
    events.push(...page)
    page = await store.eventsAfter(accountId, events.length, 500)
  }
  assert.deepEqual(
    events.map(({ seq }) => seq),
    events.map((_, i) => i + 1),
  )
  const ofCalls = Map.groupBy(events, ({ deliveryId }) => deliveryId)
  for (const [deliveryId, disposition] of ended) {
    const story = (ofCalls.get(deliveryId) ?? []).map(({ kind, data }) => `${kind.split('.')[1]}:${data.disposition}`)
    const possible = [
      [`closed:${disposition}`],
      [`outcome:${disposition}`, `closed:${disposition}`],
      ['closed:abandoned', `corrected:${disposition}`],
    ]
    assert.ok(
      possible.some((each) => each.join() === story.join()),
      `${deliveryId}: ${story}`,
    )
  }
  const verified = Map.groupBy(
    events.filter(({ kind }) => kind === 'pin.verified'),
    ({ pinId }) => pinId,
  )
  for (const [pinId, { length }] of verified) assert.equal(length, 1, `${pinId} was verified ${length} times`)
  for (const told of book.told)
    if (told.verified) assert.ok(verified.has(told.pinId!), `no event says that ${told.pinId} was verified`)
}
