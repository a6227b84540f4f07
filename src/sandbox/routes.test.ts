import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify'
import { ManualClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { seededRandom } from '../random.ts'
import { openSandbox, type Sandbox, sandboxRoutes } from './index.ts'

const TO = '41793026727'
/** Nobody is called here, so nobody has to speak. */
const speech = {
  say: async () => new Int16Array(80),
  clips: async () => new Map(),
  prepare: () => Promise.reject(new Error('not asked for here')),
}

describe('what arrived is shown under /sandbox/', () => {
  const clock = new ManualClock()
  let sandbox: Sandbox
  let app: FastifyInstance
  before(async () => {
    sandbox = await openSandbox({ clock, random: seededRandom('routes'), log: silentLog, speech, host: '127.0.0.1' })
    app = Fastify({ routerOptions: { ignoreTrailingSlash: true } }) // as the server has it
    await app.register(sandboxRoutes(sandbox))
  })
  after(async () => {
    await app.close()
    await sandbox.close()
  })
  const get = async (url: string, options: InjectOptions = {}) => app.inject({ url, ...options })

  test('a text’s code is listed for its number, however the number is written', async () => {
    const at = new Date(clock.now()).toISOString()
    sandbox.receiveSms({ to: `+${TO}`, from: 'Pincall', text: 'Your code is 481920.' })
    for (const written of [TO, `%2B${TO}`, '+41 79 302 67 27', '0041793026727']) {
      const answer = await get(`/sandbox/pins?to=${written.replaceAll(' ', '%20')}`)
      assert.deepEqual(answer.json(), [{ channel: 'sms', to: TO, code: '481920', at }], written)
      assert.equal(answer.headers['cache-control'], 'no-store')
    }
    const [message] = (await get('/sandbox/messages')).json()
    assert.deepEqual(
      { ...message, messageId: '' },
      { messageId: '', to: TO, from: 'Pincall', text: 'Your code is 481920.', at, code: '481920' },
    )
    assert.deepEqual((await get('/sandbox/pins?to=41793026728')).json(), [])
    assert.deepEqual((await get('/sandbox/calls')).json(), [])
  })

  test('whoever waits for a code gets it when it comes, or an empty list in the end', async () => {
    const to = '41793026730'
    const waiting = get(`/sandbox/pins?to=${to}&wait=20`)
    await clock.advance(3000)
    sandbox.receiveSms({ to, from: 'Pincall', text: 'Code 1234' })
    const [first] = (await waiting).json()
    assert.equal(first.code, '1234')
    const next = get(`/sandbox/pins?to=${to}&wait=5&after=${encodeURIComponent(first.at)}`)
    const voice = get(`/sandbox/pins?to=${to}&wait=5&channel=voice`)
    while (clock.pending < 2) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(5000)
    assert.deepEqual((await next).json(), [])
    assert.deepEqual((await voice).json(), [])
  })

  test('wrong questions are answered with what was wrong', async () => {
    for (const [url, says] of [
      ['/sandbox/pins', /^to must be given/],
      ['/sandbox/pins?to=0', /^to must be a telephone number/],
      ['/sandbox/calls?to=abc', /^to must be a telephone number/],
      [`/sandbox/pins?to=${TO}&wait=61`, /^wait must be/],
      [`/sandbox/pins?to=${TO}&wait=-1`, /^wait must be/],
      [`/sandbox/pins?to=${TO}&wait=soon`, /^wait must be/],
      [`/sandbox/pins?to=${TO}&channel=pigeon`, /^channel must be/],
      [`/sandbox/pins?to=${TO}&after=tomorrow`, /^after must be/],
    ] as const) {
      const answer = await get(url)
      assert.equal(answer.statusCode, 400, url)
      assert.match(answer.json().error, says)
    }
    assert.equal((await get('/sandbox/calls/none/audio.wav')).statusCode, 404)
  })

  test('only this machine is answered, unless all are let in', async () => {
    for (const ip of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1']) {
      assert.equal((await get('/sandbox/', { remoteAddress: ip })).statusCode, 200, ip)
    }
    for (const ip of ['192.168.1.7', '10.0.0.1', '::ffff:10.0.0.1', 'fe80::1']) {
      const answer = await get(`/sandbox/pins?to=${TO}`, { remoteAddress: ip })
      assert.equal(answer.statusCode, 403, ip)
      assert.match(answer.json().error, /only to this machine/)
    }
    for (const header of ['x-forwarded-for', 'forwarded']) {
      const proxied = await get(`/sandbox/pins?to=${TO}`, { headers: { [header]: 'for=203.0.113.9' } })
      assert.equal(proxied.statusCode, 403, 'a proxy on this machine asks for somebody else')
    }
    const open = Fastify()
    await open.register(sandboxRoutes(sandbox, { allowAll: true }))
    assert.equal((await open.inject({ url: '/sandbox/', remoteAddress: '192.168.1.7' })).statusCode, 200)
    await open.close()
  })

  test('the page carries all it needs, and its policy lets nothing else in', async () => {
    const page = await get('/sandbox/')
    assert.match(page.headers['content-type'] as string, /^text\/html/)
    const policy = page.headers['content-security-policy'] as string
    assert.match(policy, /^default-src 'none'; script-src 'sha256-/)
    assert.doesNotMatch(page.body, /(?:src|href)="(?!#|data:)/, 'no address of another place')
    assert.equal((await get('/sandbox')).headers.location, '/sandbox/')
  })

  test('the table of handsets is there for programs too', async () => {
    const handsets: { ending: string; callStatus: string }[] = (await get('/sandbox/handsets')).json()
    assert.equal(handsets.length, 11)
    assert.deepEqual(handsets.at(-1)?.ending, 'any other')
    assert.equal(handsets.find(({ ending }) => ending === '90')?.callStatus, 'ANSWERED_MACHINE')
  })

  test('a change is told to whoever waits for one', async () => {
    const { changes } = (await get('/sandbox/changes')).json()
    const waiting = get(`/sandbox/changes?seen=${changes}&wait=25`)
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve))
    sandbox.receiveSms({ to: TO, from: 'Pincall', text: 'no code here' })
    assert.equal((await waiting).json().changes, changes + 1)
  })
})

test('a server that closes does not wait for those who wait', async () => {
  const clock = new ManualClock()
  const sandbox = await openSandbox({ clock, random: seededRandom('close'), log: silentLog, speech, host: '127.0.0.1' })
  const app = Fastify()
  await app.register(sandboxRoutes(sandbox))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const waiting = fetch(`${url}/sandbox/pins?to=${TO}&wait=60`)
  while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve))
  await app.close()
  assert.deepEqual(await (await waiting).json(), [])
  await sandbox.close()
})
