import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { outcomeOf } from '../../src/delivery/index.ts'
import { silentLog } from '../../src/log.ts'
import { type MediaEngine, openMediaEngine } from '../../src/media/index.ts'
import { systemRandom } from '../../src/random.ts'
import { openSipEndpoint, type SipEndpoint } from '../../src/sip/index.ts'
import { type CallOrder, placeCall } from '../../src/voice/index.ts'
import { openRelay } from '../testbed/relay.ts'
import { type Callee, startCallee } from './sipp.ts'

/** Our caller against SIPp: SIPp checks that each message comes as its scenario says, we check what we made of it. */
describe('calls to SIPp', { concurrency: 4 }, () => {
  let sip: SipEndpoint
  let media: MediaEngine
  const peers: { host: string; port: number }[] = []
  before(async () => {
    sip = await openSipEndpoint({
      bind: { host: '127.0.0.1', port: 0 },
      userAgent: 'Pincall',
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      allowedPeers: () => peers,
    })
    media = await openMediaEngine({ log: silentLog })
  })
  after(async () => {
    await sip.close()
    await media.close()
    assert.equal(sip.pending, 0, 'no transaction and no dialog is left')
    assert.equal(media.sessions, 0)
  })

  const tone = (ms: number) => Int16Array.from({ length: ms * 8 }, (_, i) => 8000 * Math.sin(i / 4))

  async function call(callee: { host: string; port: number }, change: Partial<CallOrder> = {}) {
    const steps: string[] = []
    const result = await placeCall(
      {
        sip,
        media,
        mediaHost: '127.0.0.1',
        advertisedHost: '127.0.0.1',
        clock: systemClock,
        random: systemRandom,
        log: silentLog,
      },
      {
        uri: `sip:+41793026727@${callee.host}:${callee.port}`,
        target: callee,
        from: { uri: 'sip:447700900123@127.0.0.1' },
        codecs: ['PCMU', 'PCMA'],
        ringTimeoutMs: 20_000,
        noResponseMs: 4000,
        prompts: {
          greeting: tone(200),
          reading: tone(500),
          repetition: tone(300),
          offerKey: tone(200),
          goodbye: tone(100),
        },
        proof: 'off',
        proofKey: '1',
        replayKeys: '',
        longestMs: 15_000,
        ...change,
      },
      { onStep: (step) => steps.push(step) },
    )
    return { ...result, steps, outcome: outcomeOf(result, { atRateLimit: false, elapsedMs: 0 }) }
  }

  async function satisfied(callee: Callee): Promise<void> {
    assert.equal(await callee.done, 0, callee.complaints())
  }

  test('answered: the code is read and we hang up', async () => {
    await using callee = await startCallee('answer', { rtpEcho: true })
    const { outcome, evidence, steps } = await call(callee)
    await satisfied(callee)
    assert.equal(outcome.disposition, 'heard')
    assert.equal(evidence.readings, 2)
    assert.ok(evidence.media!.packetsReceived > 50, `${evidence.media!.packetsReceived} packets came back`)
    assert.deepEqual(steps, ['dialling', 'ringing', 'answered', 'reading'])
  })

  test('answered, and the callee hangs up after the first reading', async () => {
    await using callee = await startCallee('answer-and-hang-up', { rtpEcho: true })
    const { evidence } = await call(callee, {
      prompts: {
        greeting: tone(20),
        reading: tone(100),
        repetition: tone(9000),
        offerKey: tone(20),
        goodbye: tone(20),
      },
    })
    await satisfied(callee)
    assert.equal(evidence.endedBy, 'them')
  })

  test('busy, with its Q.850 cause', async () => {
    await using callee = await startCallee('busy')
    const { outcome, evidence } = await call(callee)
    await satisfied(callee)
    assert.deepEqual(outcome, { disposition: 'busy', tryNext: false })
    assert.deepEqual([evidence.sipStatus, evidence.q850], [486, 17])
  })

  test('404: the number is unknown', async () => {
    await using callee = await startCallee('not-found')
    assert.equal((await call(callee)).outcome.disposition, 'number_unknown')
    await satisfied(callee)
  })

  test('503: the trunk failed, another may be tried', async () => {
    await using callee = await startCallee('unavailable')
    assert.deepEqual((await call(callee)).outcome, { disposition: 'trunk_failed', tryNext: true })
    await satisfied(callee)
  })

  test('declined after ringing', async () => {
    await using callee = await startCallee('decline')
    assert.equal((await call(callee)).outcome.disposition, 'declined')
    await satisfied(callee)
  })

  test('rings and nobody answers: our CANCEL is taken, the 487 acknowledged', async () => {
    await using callee = await startCallee('ring-no-answer')
    const { outcome, evidence } = await call(callee, { ringTimeoutMs: 1500 })
    await satisfied(callee)
    assert.equal(outcome.disposition, 'no_answer')
    assert.ok(evidence.ringMs! < 1500)
  })

  test('the first INVITE is lost: it is sent again, and the call goes through', async () => {
    await using callee = await startCallee('answer', { rtpEcho: true })
    await using wire = await openRelay(callee, (datagram) => datagram !== 1)
    assert.equal((await call(wire)).outcome.disposition, 'heard')
    await satisfied(callee)
    assert.match(wire.passed[0], /^INVITE /)
    assert.ok(sip.stats.retransmitted > 0)
  })

  test('early media is no answer: nothing is said, and the refusal after it counts', async () => {
    await using callee = await startCallee('early-media')
    const { outcome, steps } = await call(callee)
    await satisfied(callee)
    assert.equal(outcome.disposition, 'no_answer')
    assert.deepEqual(steps, ['dialling', 'ringing'])
  })

  test('redirected to an address that is a trunk of ours: followed', async () => {
    await using second = await startCallee('answer', { host: '127.0.0.3', rtpEcho: true })
    peers.push(second)
    await using first = await startCallee('redirect', { fields: [second.host, String(second.port)] })
    assert.equal((await call(first)).outcome.disposition, 'heard')
    await satisfied(first)
    await satisfied(second)
  })

  test('redirected to a stranger: not followed', async () => {
    await using callee = await startCallee('redirect', { fields: ['127.0.0.9', '5060'] })
    const { outcome, evidence } = await call(callee)
    await satisfied(callee)
    assert.equal(outcome.disposition, 'trunk_failed')
    assert.equal(evidence.sipStatus, 302)
  })

  test('answered with a codec that we did not offer: acknowledged, ended, and told as such', async () => {
    await using callee = await startCallee('no-common-codec')
    const { outcome, steps } = await call(callee)
    await satisfied(callee)
    assert.deepEqual(outcome, { disposition: 'no_common_codec', tryNext: false })
    assert.deepEqual(steps, ['dialling', 'ringing'])
  })

  test('answered, and no sound ever comes: hung up after ten seconds', async () => {
    await using callee = await startCallee('answer')
    const { outcome, evidence } = await call(callee, { proof: 'detect' })
    await satisfied(callee)
    assert.equal(outcome.disposition, 'no_media')
    assert.equal(evidence.readings, 0)
    assert.ok(evidence.talkMs! >= 9000 && evidence.talkMs! < 14_000, `${evidence.talkMs} ms`)
  })

  test('not a word comes back: given up in seconds, another trunk may be tried', async () => {
    await using callee = await startCallee('silent')
    const { outcome, evidence } = await call(callee, { noResponseMs: 1000 })
    assert.deepEqual(outcome, { disposition: 'trunk_failed', tryNext: true })
    assert.equal(evidence.local, 'no_response')
  })
})
