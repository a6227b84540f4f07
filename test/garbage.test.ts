import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { test } from 'node:test'
import { seededRandom } from '../src/random.ts'
import { freePort } from './testbed/free-port.ts'
import { setUp, startPincall } from './testbed/running-server.ts'

const DATAGRAMS = 3000

const VALID = [
  'INVITE sip:41793026727@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKx;rport\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1:5062>\r\nContent-Length: 0\r\n\r\n',
  'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n',
  'BYE sip:x@y SIP/2.0\r\nv: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKy\r\nf: <sip:a@b>;tag=1\r\nt: <sip:c@d>;tag=2\r\ni: y\r\nCSeq: 2 BYE\r\nl: 0\r\n\r\n',
].map((text) => Buffer.from(text))

test('garbage on the SIP, RTP and HTTP ports during a call: the call goes through, the process lives', async () => {
  const sipPort = await freePort('127.0.0.1')
  await using pincall = await startPincall({
    config: `sip: { port: ${sipPort} }\nmedia: { portFrom: 14000, portTo: 14040 }\nsandbox: { ringTimeoutS: 3 }\n`,
  })
  const sending = await setUp(pincall)
  const pinId = await sending.sendPin('41793026727')
  const call = pincall.call('POST', `/2fa/1/pin/${pinId}/resend/voice`)

  const random = seededRandom(process.env.PINCALL_TEST_SEED ?? 'garbage')
  const socket = createSocket('udp4')
  for (let i = 0; i < DATAGRAMS; i++) {
    const bytes = i % 3 === 0 ? random.bytes(random.int(1400)) : mutated(VALID[random.int(VALID.length)], random)
    const port = i % 2 === 0 ? sipPort : 14_000 + 2 * random.int(20)
    await new Promise((sent) => socket.send(bytes, port, '127.0.0.1', sent))
    if (i % 100 === 0) await overHttp(pincall.url, mutated(HTTP, random))
  }
  socket.close()

  assert.equal((await call).body.callStatus, 'PROCESSED')
  const health = await pincall.call('GET', '/healthz')
  assert.equal(health.status, 200)
  const metrics = await pincall.call('GET', '/metrics')
  const malformed = Number(/what="malformed"\}? (\d+)/.exec(metrics.text)?.[1])
  assert.ok(malformed > 100, `${malformed} datagrams were counted as malformed`)
  assert.equal(await pincall.stop(), 0, pincall.output())
})

const HTTP = Buffer.from(
  'POST /2fa/1/pin HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}',
)

function mutated(valid: Buffer, random: ReturnType<typeof seededRandom>): Buffer {
  const bytes = Buffer.from(valid)
  for (let n = 1 + random.int(6); n > 0; n--) bytes[random.int(bytes.length)] = random.int(256)
  return random.int(3) === 0 ? bytes.subarray(0, random.int(bytes.length)) : bytes
}

/** Sends bytes and waits until the server has answered or closed, or for nothing: half a request is left to its time-out. */
function overHttp(url: string, bytes: Buffer): Promise<void> {
  const { hostname, port } = new URL(url)
  return new Promise((done) => {
    const socket = connect(Number(port), hostname, () => socket.end(bytes))
    socket.on('data', () => socket.destroy())
    socket.on('error', () => {})
    socket.on('close', () => done())
  })
}
