import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../clock.ts'
import { readConfig } from '../../config.ts'
import { silentLog } from '../../log.ts'
import { systemRandom } from '../../random.ts'
import { openSipEndpoint } from '../../sip/index.ts'
import { checkSpeech, checkTrunks } from './engines.ts'
import type { Patient } from './types.ts'

/** A patient whose trunks are at these ports of this machine. */
async function withTrunks(t: TestContext, ports: Record<string, number>): Promise<Patient> {
  const dir = await mkdtemp(join(tmpdir(), 'pincall-doctor-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const trunks = Object.entries(ports).map(([name, port]) => ({ name, host: '127.0.0.1', port }))
  const sip = { host: '127.0.0.1', port: 0 }
  await writeFile(join(dir, 'pincall.yaml'), JSON.stringify({ trunks, sip }))
  const env = { PINCALL_CONFIG: join(dir, 'pincall.yaml'), PINCALL_DATA_DIR: dir }
  return { env, settings: readConfig(env).settings, running: undefined, databasePath: join(dir, 'pincall.db') }
}

async function udpSocket(t: TestContext): Promise<{ port: number; socket: ReturnType<typeof createSocket> }> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.after(() => socket.close())
  return { port: socket.address().port, socket }
}

test('a trunk that answers OPTIONS is well, one that says nothing or 503 fails, one that refuses us is warned of', async (t) => {
  const bind = { host: '127.0.0.1', port: 0 }
  const tools = { userAgent: 'peer', clock: systemClock, random: systemRandom, log: silentLog }
  const alive = await openSipEndpoint({ bind, ...tools })
  t.after(() => alive.close())
  const [silent, ill, closed] = [await udpSocket(t), await udpSocket(t), await udpSocket(t)]
  answerWith(ill.socket, '503 Service Unavailable')
  answerWith(closed.socket, '403 Forbidden')
  const patient = await withTrunks(t, {
    alive: alive.address.port,
    silent: silent.port,
    ill: ill.port,
    closed: closed.port,
  })
  const findings = await checkTrunks(patient, undefined, 400)
  assert.deepEqual(Object.fromEntries(findings.map(({ check, level }) => [check, level])), {
    'trunk alive': 'ok',
    'trunk silent': 'fail',
    'trunk ill': 'fail',
    'trunk closed': 'warn',
  })
  assert.ok(findings.every(({ level, todo }) => (level === 'ok') === (todo === undefined)))
})

test('with neither trunks nor sandbox the doctor warns that no call can leave', async (t) => {
  const patient = await withTrunks(t, {})
  assert.deepEqual(
    (await checkTrunks(patient)).map(({ level }) => level),
    ['ok'],
  )
  const { settings } = readConfig({ ...patient.env, PINCALL_SANDBOX: 'off' })
  assert.deepEqual(
    (await checkTrunks({ ...patient, settings })).map(({ level }) => level),
    ['warn'],
  )
})

test('the speech check hears a word', async () => {
  assert.deepEqual(
    (await checkSpeech()).map(({ level }) => level),
    ['ok'],
  )
})

/** A peer that answers every request alike: its headers that a response repeats, and a tag (RFC 3261 §8.2.6). */
function answerWith(socket: ReturnType<typeof createSocket>, status: string): void {
  socket.on('message', (datagram, { port, address }) => {
    const repeated = datagram
      .toString()
      .split('\r\n')
      .filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line))
      .map((line) => (/^To:/i.test(line) ? `${line};tag=t1` : line))
    socket.send([`SIP/2.0 ${status}`, ...repeated, 'Content-Length: 0', '', ''].join('\r\n'), port, address)
  })
}
