import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../src/clock.ts'
import { silentLog } from '../src/log.ts'
import { seededRandom, systemRandom } from '../src/random.ts'
import { openSandbox } from '../src/sandbox/index.ts'
import { openSpeech } from '../src/speech/index.ts'
import { openStore, sealedNumbers } from '../src/store/index.ts'
import { type RunningPincall, setUp, startPincall } from './testbed/running-server.ts'

const ROUNDS = 20
const CALLS_A_ROUND = 4
const FINAL = new Set(['heard', 'lost', 'machine', 'abandoned', 'busy', 'no_answer', 'trunk_failed'])

test('killed at 20 random moments of calls: nothing acknowledged is lost, nobody is called twice, every reserve ends', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'pincall-kill-'))
  const speech = await openSpeech({ log: silentLog, clock: systemClock })
  // The phones live outside the process that is killed, and count for themselves.
  const phones = await openSandbox({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    speech,
    host: '127.0.0.1',
  })
  const config = `
trunks:
${phones.trunks.map((trunk) => `  - { name: ${trunk.name}, host: ${trunk.host}, port: ${trunk.port}, ringTimeoutS: 5 }`).join('\n')}
routes: [{ prefix: "", trunks: [${phones.trunks.map((trunk) => trunk.name).join(', ')}], caller: "41440000000", pricePerMinute: "0.5" }]
sip: { host: 127.0.0.1, port: 0, advertisedHost: 127.0.0.1 }
account: { balance: "1000" }
`
  const start = () =>
    startPincall({ dataDir, config, env: { PINCALL_ACCOUNT_PASSWORD: 'a password', PINCALL_SANDBOX: 'off' } })
  const random = seededRandom(process.env.PINCALL_TEST_SEED ?? 'kill')
  const acknowledged = new Map<string, string>() // pinId → number
  let pincall: RunningPincall = await start()
  try {
    const sending = await setUp(pincall)
    for (let round = 0; round < ROUNDS; round++) {
      const requests = Array.from({ length: CALLS_A_ROUND }, async (_, i) => {
        const to = `4179${String(100 + round).padStart(3, '0')}${String(10 + i).padStart(2, '0')}${['27', '91', '96', '28'][i]}`
        const { applicationId, messageId } = sending
        const answer = await pincall
          .call('POST', '/2fa/2/pin/voice', { applicationId, messageId, to })
          .catch(() => undefined)
        if (answer?.status === 200) acknowledged.set(String(answer.body.pinId), to)
      })
      await Promise.race([Promise.all(requests), systemClock.wait(1500)])
      await systemClock.wait(random.int(3500)) // somewhere between the INVITE and the end of the reading
      await pincall.kill()
      await Promise.all(requests)
      pincall = await start()
    }
    assert.ok(acknowledged.size >= ROUNDS, `${acknowledged.size} requests were acknowledged`)
    for (const pinId of acknowledged.keys()) await closedDelivery(pincall, pinId)
    await pincall.stop()

    for (const [pinId, to] of acknowledged) {
      const calls = phones.calls(to)
      assert.ok(calls.length <= 1, `${to} rang ${calls.length} times for one request (${pinId})`)
    }
    const key = Buffer.from(readFileSync(join(dataDir, 'secret.key'), 'utf8').trim(), 'hex')
    const numbers = sealedNumbers([{ id: 'k1', key }])
    await using store = Object.assign(await openStore({ dataDir, numbers, clock: systemClock, log: silentLog }), {
      async [Symbol.asyncDispose]() {
        await store.close()
      },
    })
    assert.equal(await store.ledgerDrift(), 0)
    assert.deepEqual(await store.backlog(), { owed: 0, claimed: 0 })
  } finally {
    await pincall[Symbol.asyncDispose]()
    await phones.close()
    await speech.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
})

/** Waits until the delivery of an acknowledged PIN has its final disposition, and checks that it is a true one. */
async function closedDelivery(pincall: RunningPincall, pinId: string): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    const answer = await pincall.call('GET', `/pincall/1/pins/${pinId}/calls`)
    assert.equal(answer.status, 200, `acknowledged PIN ${pinId} is there`)
    const calls: { state: string; disposition?: string }[] = JSON.parse(answer.text)
    assert.equal(calls.length, 1)
    if (calls[0].state === 'closed') {
      assert.ok(FINAL.has(String(calls[0].disposition)), `${pinId} ended as ${calls[0].disposition}`)
      return
    }
    await systemClock.wait(500)
  }
  assert.fail(`${pinId} was never closed`)
}
