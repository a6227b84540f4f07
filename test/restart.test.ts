import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type RunningPincall, setUp, startPincall } from './testbed/running-server.ts'

type Calls = { state: string; disposition: string }[]
const callsOf = async (pincall: RunningPincall, pinId: unknown): Promise<Calls> =>
  JSON.parse((await pincall.call('GET', `/pincall/1/pins/${pinId}/calls`)).text)

/** Resolves at the first progress of this step; the stream stays open until the server ends it. */
function step(pincall: RunningPincall, wanted: string): Promise<void> {
  return new Promise((reached, failed) => {
    const follow = async () => {
      const stream = await fetch(`${pincall.url}/pincall/1/events`, {
        headers: { authorization: `App ${pincall.key}` },
      })
      let text = ''
      for await (const chunk of stream.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk
        if (text.includes(`"step":"${wanted}"`)) reached()
      }
      failed(new Error(`the stream ended before ${wanted}: ${text}`))
    }
    follow().catch(failed)
  })
}

/** The signal is on its way when `stop` returns: wait until the server has taken it. */
async function draining(pincall: RunningPincall): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) if ((await pincall.call('GET', '/healthz')).status === 503) return
  throw new Error('the server never said that it is shutting down')
}

test('SIGTERM in mid-call: the waiting request gets its outcome, new ones are sent away, the end is clean', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'pincall-drain-'))
  try {
    const pincall = await startPincall({ dataDir })
    await using _ended = pincall
    const sending = await setUp(pincall)
    const pinId = await sending.sendPin('41793026727')
    const reading = step(pincall, 'reading')
    const waiting = pincall.call('POST', `/2fa/1/pin/${pinId}/resend/voice`)
    await reading
    const ended = pincall.stop()
    await draining(pincall)
    const refused = await pincall.call('POST', '/2fa/2/pin', {
      applicationId: sending.applicationId,
      messageId: sending.messageId,
      to: '41793026728',
    })
    assert.equal(refused.status, 503)
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
    assert.equal((await waiting).body.callStatus, 'PROCESSED')
    assert.equal(await ended, 0, pincall.output())

    await using after = await startPincall({ dataDir })
    const [call] = await callsOf(after, pinId)
    assert.deepEqual([call.state, call.disposition], ['closed', 'heard'])
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})

test('an Idempotency-Key means the same request after a restart: one PIN, one call', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'pincall-again-'))
  try {
    const body = { to: '41793026791', applicationId: '', messageId: '' }
    const headers = { 'idempotency-key': 'order-7' }
    let first: Awaited<ReturnType<RunningPincall['call']>>
    {
      await using pincall = await startPincall({ dataDir })
      Object.assign(body, await setUp(pincall))
      first = await pincall.call('POST', '/2fa/1/pin/voice', { ...body, sendPin: undefined }, headers)
      assert.equal(first.body.callStatus, 'ERROR_USER_BUSY')
      const twin = await pincall.call('POST', '/2fa/1/pin/voice', { ...body, sendPin: undefined }, headers)
      assert.deepEqual(twin.body, first.body)
      await pincall.stop()
    }
    await using pincall = await startPincall({ dataDir })
    const again = await pincall.call('POST', '/2fa/1/pin/voice', { ...body, sendPin: undefined }, headers)
    assert.deepEqual(again.body, first.body)
    assert.equal((await callsOf(pincall, first.body.pinId)).length, 1)
    assert.equal((await pincall.call('GET', '/sandbox/calls')).text, '[]', 'nobody was called again')
    const other = await pincall.call('POST', '/2fa/1/pin/voice', { ...body, to: '41793026792' }, headers)
    assert.equal(other.status, 422)
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})

test('another master key than the database’s is refused at start, in one sentence', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'pincall-key-'))
  try {
    const pincall = await startPincall({ dataDir, env: { PINCALL_SECRET_KEY: 'a'.repeat(64) } })
    assert.equal(await pincall.stop(), 0)
    await assert.rejects(
      startPincall({ dataDir, env: { PINCALL_SECRET_KEY: 'b'.repeat(64) } }),
      /The master key k1 is not the one this database was made with/,
    )
    const rotated = await startPincall({
      dataDir,
      env: { PINCALL_SECRET_KEY: `k2:${'b'.repeat(64)},k1:${'a'.repeat(64)}` },
    })
    assert.equal(await rotated.stop(), 0)
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})
