import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { systemRandom } from '../random.ts'
import { openSipEndpoint } from './endpoint.ts'
import type { CallFailure, SipEndpoint } from './types.ts'

/** Over real sockets: that datagrams leave and arrive, and what a closed port does. */

async function open(t: TestContext, host = '127.0.0.1', t1Ms = 500): Promise<SipEndpoint> {
  const tools = { userAgent: 'test', clock: systemClock, random: systemRandom, log: silentLog, t1Ms }
  const endpoint = await openSipEndpoint({ bind: { host, port: 0 }, ...tools })
  t.after(() => endpoint.close())
  return endpoint
}

async function closedPort(): Promise<{ host: string; port: number }> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return { host: '127.0.0.1', port }
}

const from = { uri: 'sip:caller@127.0.0.1' }

test('a call between two hosts of this machine, and a ping', async (t) => {
  const [caller, callee] = await Promise.all([open(t, '127.0.0.1'), open(t, '127.0.0.2')])
  callee.onInvite((call) => {
    call.progress(180, 'Ringing')
    call.answer(Buffer.from(`you dialled ${call.dialled}`))
  })
  const ended = await new Promise<string>((resolve) => {
    const call = caller.invite(
      { uri: `sip:4179@127.0.0.2:${callee.address.port}`, target: callee.address, from, body: Buffer.from('offer') },
      {
        onAnswer({ body }) {
          assert.equal(Buffer.from(body).toString(), 'you dialled 4179')
          setImmediate(() => call.hangUp())
        },
        onEnd: ({ by }) => resolve(by),
        onFailure: ({ reason }) => resolve(reason),
      },
    )
  })
  assert.equal(ended, 'us')
  assert.equal((await caller.ping(callee.address)).status, 200)
  await Promise.all([caller.close(), callee.close()])
  assert.deepEqual([caller.pending, callee.pending], [0, 0])
})

test('where nobody listens the call fails in a few tries, and so does the ping', async (t) => {
  const caller = await open(t, '127.0.0.1', 5)
  const target = await closedPort()
  const failure = await new Promise<CallFailure>((resolve) => {
    const request = { uri: `sip:1@127.0.0.1:${target.port}`, target, from, body: Buffer.from('offer') }
    caller.invite({ ...request, noResponseMs: 60_000 }, { onFailure: resolve })
  })
  assert.deepEqual([failure.status, failure.local, failure.rang], [503, 'unreachable', false])
  assert.equal((await caller.ping(target, { timeoutMs: 60_000 })).status, 408)
})

test('a port in use is told to whoever opens it', async (t) => {
  const first = await open(t)
  const options = { userAgent: 'x', clock: systemClock, random: systemRandom, log: silentLog }
  await assert.rejects(openSipEndpoint({ bind: first.address, ...options }), { code: 'EADDRINUSE' })
})

test('garbage on the port harms nobody', async (t) => {
  const [endpoint, asker] = await Promise.all([open(t), open(t)])
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  const { host, port } = endpoint.address
  for (const bytes of ['', '\r\n\r\n', '\0\0\0\0', 'INVITE', 'GET / HTTP/1.1\r\n\r\n', 'x'.repeat(60_000)]) {
    await new Promise<void>((sent, failed) =>
      socket.send(bytes, port, host, (error) => (error ? failed(error) : sent())),
    )
  }
  assert.equal((await asker.ping(endpoint.address)).status, 200)
  assert.equal(endpoint.stats.malformed, 3, 'three of them only keep a NAT open')
})
