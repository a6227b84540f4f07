import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { type RunningPincall, startPincall } from '../../test/testbed/running-server.ts'
import { readConfig } from '../config.ts'
import type { Io } from './io.ts'
import { runCli } from './program.ts'

const root = resolve(import.meta.dirname, '../..')
const BUSY = '41793026791'

function start(
  example: string,
  args: string[],
  pincall: RunningPincall,
): { child: ChildProcess; ended: Promise<string> } {
  const env = { ...process.env, PINCALL_URL: pincall.url, PINCALL_API_KEY: pincall.key }
  const child = spawn(process.execPath, [join('examples', example), ...args], { cwd: root, env })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return { child, ended: once(child, 'close').then(() => output) }
}

test('every example is a program of fewer than 80 lines', () => {
  const long = readdirSync(join(root, 'examples')).filter(
    (file) => readFileSync(join(root, 'examples', file), 'utf8').split('\n').length > 80,
  )
  assert.deepEqual(long, [])
})

test('the example of a configuration is one: its trunks and routes are taken, and the sandbox is off', () => {
  const { settings } = readConfig({ PINCALL_CONFIG: join(root, 'examples', 'pincall.yaml') })
  assert.equal(settings.sandbox.on, false)
  assert.deepEqual(
    settings.trunks.map(({ name }) => name),
    ['carrier-a', 'carrier-b'],
  )
  assert.deepEqual(
    settings.routes.map(({ prefix }) => prefix),
    ['41', ''],
  )
})

test('demo and examples do against a real server what they say', async (t) => {
  await using pincall = await startPincall()
  const listener = start('listen-to-events.ts', [], pincall)
  const heard: string[] = []
  const lines = createInterface({ input: listener.child.stdout! }).on('line', (line) => heard.push(line))
  await once(lines, 'line')

  await t.test('the demo plays a call to its end', async () => {
    const out: string[] = []
    const env = {
      PINCALL_HTTP_PORT: new URL(pincall.url).port,
      PINCALL_API_KEY: pincall.key,
      PINCALL_DATA_DIR: pincall.dataDir,
    }
    const io: Io = { env, out: (line) => void out.push(line), err: assert.fail, colour: false, columns: 100 }
    assert.equal(await runCli(['demo', '--ending', '91'], io), 0)
    const text = out.join('\n')
    assert.match(text, /✓ server +the one running at /)
    assert.match(text, / s +dialling /)
    assert.match(text, /✓ outcome +ERROR_USER_BUSY/)
    assert.match(text, /✓ verified/)
  })

  await t.test('resend-by-voice.ts says how the call ended', async () => {
    assert.match(await start('resend-by-voice.ts', [BUSY], pincall).ended, /^ERROR_USER_BUSY: busy or declined/m)
  })

  await t.test('send-a-pin.ts verifies what its user types', async () => {
    const to = '41793026731'
    const { child, ended } = start('send-a-pin.ts', [to], pincall)
    const arrived = await pincall.call('GET', `/sandbox/pins?to=${to}&wait=20`)
    const [{ code }] = JSON.parse(arrived.text) as [{ code: string }]
    child.stdin!.end(`${code}\n`)
    assert.match(await ended, /Verified: the number is theirs\./)
  })

  await t.test('listen-to-events.ts has told of all this', async () => {
    for (const expected of ['now: dialling', 'voice is over: ERROR_USER_BUSY', 'the number is verified']) {
      while (!heard.some((line) => line.endsWith(expected))) await once(lines, 'line')
    }
    listener.child.kill()
    await listener.ended
  })
})
