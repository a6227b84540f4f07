import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { type Random, seededRandom } from '../random.ts'
import { makeEndpoint } from './endpoint.ts'
import type { Address, SipEndpoint } from './types.ts'

/** Two endpoints on a wire that drops, doubles and reorders: whatever it does, both sides come to the same end. */

const CALLER = { host: '127.0.0.1', port: 5060 }
const CALLEE = { host: '127.0.0.2', port: 5060 }
const CALLS = 60

function lossyPair(clock: ManualClock, chance: Random, percent: { lost: number; doubled: number }) {
  const ends = new Map<string, SipEndpoint & { receive(bytes: Uint8Array, from: Address): void }>()
  const open = (local: Address, seed: string) => {
    const options = { bind: local, userAgent: seed, clock, random: seededRandom(seed), log: silentLog }
    const endpoint = makeEndpoint(options, {
      local,
      send(bytes, to) {
        const copies = chance.int(100) < percent.lost ? 0 : chance.int(100) < percent.doubled ? 2 : 1
        for (let i = 0; i < copies; i++) clock.after(1 + chance.int(80), () => ends.get(to.host)?.receive(bytes, local))
      },
      close: async () => {},
    })
    ends.set(local.host, endpoint)
    return endpoint
  }
  return { caller: open(CALLER, 'caller'), callee: open(CALLEE, 'callee') }
}

for (const [name, percent] of [
  ['a perfect wire', { lost: 0, doubled: 0 }],
  ['a wire that doubles and reorders', { lost: 0, doubled: 40 }],
  ['a wire that loses a third, doubles and reorders', { lost: 33, doubled: 20 }],
] as const) {
  test(`${CALLS} calls over ${name}: each ends once, as its number says, and nothing is left`, async () => {
    const clock = new ManualClock()
    const { caller, callee } = lossyPair(clock, seededRandom(name), percent)
    const taken = new Map<string, string[]>()
    callee.onInvite((call) => {
      const facts: string[] = []
      assert.equal(taken.has(call.callId), false, 'no call is taken twice')
      taken.set(call.callId, facts)
      call.handlers = { onCancel: () => facts.push('cancelled'), onEnd: ({ by }) => facts.push(by) }
      const kind = Number(call.dialled) % 4
      call.progress(180, 'Ringing')
      if (kind === 0) call.reject(486, 'Busy Here')
      if (kind === 1 || kind === 2) clock.after(2000, () => call.answer(Buffer.from('answer')))
      if (kind === 1) clock.after(60_000, () => call.hangUp())
    })
    const made = Array.from({ length: CALLS }, (_, number) => {
      const facts: string[] = []
      const handlers = {
        onAnswer: () => facts.push('answered'),
        onFailure: ({ status, local }: { status: number; local?: string }) => facts.push(`${status} ${local ?? ''}`),
        onEnd: ({ by }: { by: string }) => facts.push(by),
      }
      const request = {
        uri: `sip:${number}@callee`,
        target: CALLEE,
        from: { uri: 'sip:caller@caller' },
        body: Buffer.from('offer'),
      }
      const call = caller.invite({ ...request, noResponseMs: 31_000, ringTimeoutMs: 50_000 }, handlers)
      if (number % 4 === 2) clock.after(40_000, () => call.hangUp())
      return { callId: call.callId, facts }
    })
    await clock.advance(250_000)
    for (const [number, { callId, facts }] of made.entries()) {
      const theirs = taken.get(callId)?.join(' ')
      const ours = facts.join(' ')
      const what = `call ${number}: we say ${ours}, they say ${theirs}`
      if (number % 4 === 0) assert.equal(ours, '486 ', what)
      if (number % 4 === 1) assert.match(`${ours} | ${theirs}`, /^answered (them \| us|lost \| us)$/, what)
      if (number % 4 === 2) assert.match(`${ours} | ${theirs}`, /^answered us \| (them|lost)$/, what)
      if (number % 4 === 3) assert.match(`${ours} | ${theirs}`, /^\d+ ring_timeout \| (cancelled)$/, what)
    }
    assert.deepEqual([caller.pending, callee.pending, clock.pending], [0, 0, 0])
    const again = caller.stats.retransmitted + callee.stats.retransmitted
    assert.ok(percent.lost ? again > 2 * CALLS : percent.doubled || again === 0, `${again} messages were sent again`)
  })
}
