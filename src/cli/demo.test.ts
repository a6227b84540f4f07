import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { demo } from './demo.ts'
import { findOrStart } from './demo-server.ts'
import { Failure, type Io } from './io.ts'
import { makeWire } from './wire.ts'

const CODE = '482913'
const AT = '2026-12-01T12:00:00.000Z'
const KEY = 'a-key-of-this-directory'

type Script = {
  callStatus: string
  steps: string[]
  /** What the handset hears; nothing where absent. */
  heard?: string
  verified?: boolean
  sandbox?: boolean
  sendStatus?: number
}

/** A server that speaks the wire and plays one call as the script has it. */
async function scripted(script: Script) {
  const pins: { channel: string; to: string; code: string; at: string }[] = []
  let stream: ServerResponse | undefined
  const requests: string[] = []
  const text = 'Your code is {{pin}}.'
  const answers: Record<string, (response: ServerResponse, query: URLSearchParams) => void> = {
    'GET /healthz': (response) => json(response, { status: 'ok' }),
    'GET /2fa/2/applications': (response) => json(response, []),
    'POST /2fa/2/applications': (response) => json(response, { applicationId: 'A1' }, 201),
    'POST /2fa/2/applications/A1/messages': (response) => json(response, { messageId: 'M1' }),
    'POST /2fa/2/pin': (response) => {
      if (script.sendStatus) return refuse(response, script.sendStatus, 'Too many requests: the limit is 3/1d')
      pins.unshift({ channel: 'sms', to: '41793026727', code: CODE, at: AT })
      json(response, { pinId: 'P1', smsStatus: 'MESSAGE_SENT' })
    },
    'GET /pincall/1/events': (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n')
      stream = response
    },
    'POST /2fa/1/pin/P1/resend/voice': (response) => {
      const tell = (pinId: string, deliveryId: string, step: string) =>
        stream?.write(`event: progress\ndata: ${JSON.stringify({ pinId, deliveryId, step, at: 1 })}\n\n`)
      tell('P2', 'of another PIN', 'machine')
      tell('P1', 'of the text', 'ended')
      for (const step of [...script.steps, 'ended']) tell('P1', 'of the call', step)
      if (script.heard) pins.unshift({ channel: 'voice', to: '41793026727', code: script.heard, at: AT })
      json(response, { to: '41793026727', pinId: 'P1', callStatus: script.callStatus })
    },
    'POST /2fa/2/pin/P1/verify': (response) =>
      json(response, script.verified === false ? { verified: false, pinError: 'WRONG_PIN' } : { verified: true }),
    'GET /sandbox/pins': (response, query) => {
      if (script.sandbox === false) return refuse(response, 404, 'Not found')
      const channel = query.get('channel')
      json(
        response,
        pins.filter((pin) => !channel || pin.channel === channel),
      )
    },
    'GET /sandbox/messages': (response) =>
      json(response, [{ to: '41793026727', from: 'Pincall', text: text.replace('{{pin}}', CODE), at: AT }]),
  }
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { pathname: path, searchParams: query } = new URL(request.url!, 'http://scripted')
    requests.push(`${request.method} ${path}`)
    if (path !== '/healthz' && request.headers.authorization !== `App ${KEY}`)
      return refuse(response, 401, 'Unauthorized')
    request.resume().on('end', () => answers[`${request.method} ${path}`](response, query))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

const json = (response: ServerResponse, body: object, status = 200) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
const refuse = (response: ServerResponse, status: number, text: string) =>
  json(response, { requestError: { serviceException: { messageId: 'X', text } } }, status)

function page(): Io & { lines: string[] } {
  const lines: string[] = []
  return { env: {}, out: (line) => void lines.push(line), err: () => {}, colour: false, columns: 100, lines }
}

const HUMAN = ['dialling', 'ringing', 'answered', 'human', 'reading']
const wanted = { number: '41793026727', say: 'Your code is {{pin}}.' }

async function play(script: Script, options: Parameters<typeof demo>[1] = wanted) {
  await using server = await scripted(script)
  const io = page()
  let closed = 0
  const find = async () => ({
    wire: makeWire(server.url, KEY),
    sentence: 'scripted',
    close: async () => {
      closed++
    },
  })
  const failure = await demo(io, options, find).then(
    () => undefined,
    (error: unknown) => error,
  )
  return { text: io.lines.join('\n'), lines: io.lines, failure, closed }
}

test('the demo tells the story in the order in which it happens, and each step in one line', async () => {
  const { lines, failure, closed } = await play({ callStatus: 'PROCESSED', steps: HUMAN, heard: CODE })
  assert.equal(failure, undefined)
  const words = ['server', 'application', 'template', 'text', 'call', ...HUMAN, 'outcome', 'heard', 'verified']
  const told = lines.flatMap((line) => /^ +(?:[✓•]|[\d.]+ s) +(\w+) /.exec(line)?.[1] ?? [])
  assert.deepEqual(told, words)
  assert.match(lines.find((line) => line.includes('text  '))!, new RegExp(`Your code is ${CODE}\\.`))
  assert.equal(closed, 1)
})

test('the demo says how long each part took and what to try next', async () => {
  const { text } = await play({ callStatus: 'PROCESSED', steps: HUMAN, heard: CODE })
  assert.match(text, /How long it took\n.*server +\d+\.\d+ s\n/)
  assert.match(text, /in all +\d+\.\d+ s\n/)
  assert.match(text, /What to try next\n +pincall demo --ending 90 +voicemail/)
})

test('a forced ending dials such a number, and the code of the text still verifies', async () => {
  const steps = ['dialling', 'ringing', 'answered', 'machine']
  const { text, failure } = await play({ callStatus: 'ANSWERED_MACHINE', steps }, { ...wanted, ending: '90' })
  assert.equal(failure, undefined)
  assert.match(text, /sent to \+41793026790/)
  assert.match(text, /ANSWERED_MACHINE: a machine answered, so the code was not spoken/)
  assert.doesNotMatch(text, /heard/)
  assert.match(text, /✓ verified/)
})

for (const { what, script, sentence } of [
  {
    what: 'the call ends in another way than the number’s ending says',
    script: { callStatus: 'ERROR_USER_BUSY', steps: ['dialling'] },
    sentence: /ended as ERROR_USER_BUSY, where PROCESSED was expected/,
  },
  {
    what: 'the handset hears another code',
    script: { callStatus: 'PROCESSED', steps: HUMAN, heard: '111111' },
    sentence: /heard another code/,
  },
  {
    what: 'the PIN is not accepted',
    script: { callStatus: 'PROCESSED', steps: HUMAN, heard: CODE, verified: false },
    sentence: /not accepted: WRONG_PIN/,
  },
  {
    what: 'the server refuses the send',
    script: { callStatus: 'PROCESSED', steps: HUMAN, sendStatus: 429 },
    sentence: /^POST \/2fa\/2\/pin: 429 Too many requests: the limit is 3\/1d$/,
  },
] satisfies { what: string; script: Script; sentence: RegExp }[]) {
  test(`the demo fails with one sentence where ${what}, and closes its server`, async () => {
    const { failure, closed } = await play(script)
    assert.ok(failure instanceof Failure)
    assert.match(failure.message, sentence)
    assert.doesNotMatch(failure.message, new RegExp(CODE))
    assert.equal(closed, 1)
  })
}

test('the demo uses the server that runs here where that takes the key and has its sandbox on', async () => {
  await using server = await scripted({ callStatus: 'PROCESSED', steps: HUMAN })
  const found = await findOrStart(envFor(server.port), notToBeStarted)
  assert.equal(found.wire.url, server.url)
  await found.close()
})

for (const { what, sandbox, key, says } of [
  { what: 'takes another key', sandbox: true, key: 'the-key-of-somebody-else', says: /does not take/ },
  { what: 'places real calls', sandbox: false, key: KEY, says: /its calls are real/ },
]) {
  test(`the demo starts a server of its own, with a data directory of its own, where the running one ${what}`, async () => {
    await using server = await scripted({ callStatus: 'PROCESSED', steps: HUMAN, sandbox })
    const started: NodeJS.ProcessEnv[] = []
    const env = { ...envFor(server.port), PINCALL_API_KEY: key, PINCALL_CALL_WAIT_S: '1', PATH: '/bin' }
    const found = await findOrStart(env, async (given) => {
      started.push(given)
      return { url: 'http://127.0.0.1:1', apiKey: 'k', close: async () => {} }
    })
    assert.match(found.sentence, says)
    const { PINCALL_DATA_DIR: dataDir, PINCALL_CONFIG: config, ...rest } = started[0]
    assert.notEqual(dataDir, env.PINCALL_DATA_DIR)
    assert.equal(config, join(dataDir!, 'pincall.json'))
    assert.deepEqual(rest, { PATH: '/bin', PINCALL_HTTP_PORT: '0', PINCALL_SANDBOX: 'on', PINCALL_LOG_LEVEL: 'silent' })
    await found.close()
    assert.equal(existsSync(dataDir!), false, 'nothing is left of it')
    assert.deepEqual(
      server.requests.filter((request) => request.startsWith('POST')),
      [],
      'nothing was made on the other',
    )
  })
}

const envFor = (port: number) => ({
  PINCALL_HTTP_PORT: String(port),
  PINCALL_API_KEY: KEY,
  PINCALL_DATA_DIR: '/nowhere',
})
const notToBeStarted = async (): Promise<never> => assert.fail('a server was started')
