import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codeOf } from '../src/verification/code.ts'
import { type Ask, type Load, load, request } from './lib/http-load.ts'
import { type BenchedPincall, numbers, PIN_LENGTH, setUp, startPincall } from './lib/pincall.ts'
import { cpuMs, LOAD_CORE, SERVER_CORE, startOn, stayOn } from './lib/processes.ts'
import { median, report, roundsOr, say, scaled } from './lib/report.ts'

/**
 * Durable sends and checks over HTTP: Pincall on one core, the load on the other, 64 connections, and in the same run
 * better-auth's phone-number plugin the same way. A round sends so many PINs over SMS, waits until all were delivered to
 * the sandbox's inbox, then checks each of them twice: a wrong guess, then the right one.
 */

const CONNECTIONS = 64
const ROUNDS = roundsOr(5)
const SENDS = scaled(15_000)
const PEER_SENDS = scaled(2_000)
const IDLE_MS = 120_000

type Round = Load & {
  /** CPU of the server's process while the load ran, and until all it owed was done, per request. */
  cpuUs: number
  cpuWithDeliveryUs: number
  /** Deliveries that ended while the load ran. */
  delivered: number
}

/** A server under load, as this benchmark sees it. */
type Subject = {
  name: string
  sends: number
  send(count: number): Promise<Round>
  /** Checks what the last `send` sent: a wrong guess, then the right one. */
  check(): Promise<Round>
  close(): Promise<void>
}

async function openPincall(): Promise<Subject> {
  const pincall = await startPincall()
  const { applicationId, messageId } = await setUp(pincall)
  const { host } = new URL(pincall.url)
  const number = numbers()
  const closed = pincall.database.prepare('SELECT count(*) AS n FROM deliveries WHERE closed_at IS NOT NULL')
  const deliveries = () => Number(closed.get()?.n)
  let sent: string[] = []
  return {
    name: 'pincall',
    sends: SENDS,
    async send(count) {
      sent = []
      const before = deliveries()
      const asks = times(
        count,
        (): Ask => ({
          bytes: request(host, '/2fa/2/pin', { applicationId, messageId, to: number() }, pincall.headers),
          answered: (status, body) => status === 200 && sent.push(JSON.parse(body).pinId),
        }),
      )
      let delivered = 0
      const round = await measured(pincall.pid, pincall.url, asks, async () => {
        delivered = deliveries() - before
        await pincall.idle(IDLE_MS)
      })
      return { ...round, delivered }
    },
    check: () => checkPincall(pincall, host, sent),
    close: pincall.close,
  }
}

async function checkPincall(pincall: BenchedPincall, host: string, pinIds: readonly string[]): Promise<Round> {
  const codes = pinIds.map((pinId) =>
    codeOf(pincall.keys, { pinId, codeKeyId: 'k1', pinType: 'NUMERIC', pinLength: PIN_LENGTH }),
  )
  let verified = 0
  const ask = (i: number, pin: string): Ask => ({
    bytes: request(host, `/2fa/2/pin/${pinIds[i]}/verify`, { pin }, pincall.headers),
    answered: (_status, body) => body.includes('"verified":true') && verified++,
  })
  const wrong = pinIds.map((_, i) => () => ask(i, wrongGuess(codes[i])))
  const right = pinIds.map((_, i) => () => ask(i, codes[i]))
  const round = await measured(pincall.pid, pincall.url, drawn([...wrong, ...right]))
  if (verified !== pinIds.length) throw new Error(`${verified} of ${pinIds.length} right guesses were accepted`)
  return round
}

async function openPeer(durability: 'as-shipped' | 'wal-full', check: 'consume' | 'verify'): Promise<Subject> {
  const directory = mkdtempSync(join(tmpdir(), 'pincall-bench-peer-'))
  const peer = startOn(SERVER_CORE, process.execPath, [
    'bench/peer/better-auth.mjs',
    join(directory, 'peer.db'),
    durability,
  ])
  const [, port] = await peer.line(/^ready (\d+)/, 30_000)
  const url = `http://127.0.0.1:${port}`
  const headers = { origin: url }
  const number = numbers()
  let sent: string[] = []
  return {
    name: `better-auth.${durability}.${check}`,
    sends: PEER_SENDS,
    async send(count) {
      sent = Array.from({ length: count }, () => `+${number()}`)
      const asks = sent.map((phoneNumber) => () => ({
        bytes: request(`127.0.0.1:${port}`, '/api/auth/phone-number/send-otp', { phoneNumber }, headers),
      }))
      return measured(peer.pid, url, drawn(asks))
    },
    async check() {
      const codes = (await (await fetch(`${url}/codes`)).json()) as Record<string, string>
      let verified = 0
      const path = check === 'consume' ? '/consume' : '/api/auth/phone-number/verify'
      const ask = (phoneNumber: string, code: string) => ({
        bytes: request(`127.0.0.1:${port}`, path, { phoneNumber, code, disableSession: true }, headers),
        answered: (status: number) => status === 200 && verified++,
      })
      const wrong = sent.map((to) => () => ask(to, wrongGuess(codes[to])))
      const right = sent.map((to) => () => ask(to, codes[to]))
      const round = await measured(peer.pid, url, drawn([...wrong, ...right]), undefined, [200, 400])
      if (verified !== sent.length) throw new Error(`the peer accepted ${verified} of ${sent.length} right guesses`)
      return round
    },
    async close() {
      await peer.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Runs a load and takes what it cost the server. `until` waits for what the answers still left to do. */
async function measured(
  pid: number,
  url: string,
  next: () => Ask | undefined,
  until?: () => Promise<void>,
  allowed = [200],
): Promise<Round> {
  const before = cpuMs(pid)
  const done = await load(url, CONNECTIONS, next)
  const cpu = cpuMs(pid) - before
  await until?.()
  const whole = cpuMs(pid) - before
  const others = Object.keys(done.statuses).filter((status) => !allowed.includes(Number(status)))
  if (others.length > 0) throw new Error(`answers other than ${allowed}: ${JSON.stringify(done.statuses)}`)
  return {
    ...done,
    cpuUs: (cpu * 1000) / done.requests,
    cpuWithDeliveryUs: (whole * 1000) / done.requests,
    delivered: 0,
  }
}

const wrongGuess = (code: string) => code.replace(/\d/, (digit) => String((Number(digit) + 1) % 10))

const times = (count: number, make: () => Ask) => {
  let left = count
  return () => (left-- > 0 ? make() : undefined)
}

const drawn = (makers: (() => Ask)[]) => {
  let at = 0
  return () => makers[at++]?.()
}

type Rounds = { send: Round[]; check: Round[] }

/** One round to warm up, then those that count. */
async function rounds(subject: Subject): Promise<Rounds> {
  const all: Rounds = { send: [], check: [] }
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      const send = await subject.send(round === 0 ? Math.ceil(subject.sends / 3) : subject.sends)
      const check = await subject.check()
      say(`${subject.name} ${round || 'warm-up'}: ${told('sends', send)}; ${told('checks', check)}`)
      if (round === 0) continue
      all.send.push(send)
      all.check.push(check)
    }
  } finally {
    await subject.close()
  }
  return all
}

const told = (what: string, { perSecond, p50Ms, p99Ms, cpuUs, cpuWithDeliveryUs }: Round) =>
  `${perSecond.toFixed(0)} ${what}/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, ${cpuUs.toFixed(0)} (${cpuWithDeliveryUs.toFixed(0)}) µs`

const of = <K extends keyof Round>(list: Round[], key: K) => list.map((round) => Number(round[key]))

function reportPincall({ send, check }: Rounds): void {
  const share = median(send.map((round) => round.delivered / round.requests))
  const delivery = `SMS delivery to the sandbox inbox (claim, attempt, close) ran meanwhile for ${(share * 100).toFixed(0)} % of the sends`
  const conditions = `${CONNECTIONS} connections, SQLite WAL FULL, one core`
  report({
    name: 'http.send.rate',
    value: of(send, 'perSecond'),
    unit: 'sends/s',
    aim: '>= 8000',
    note: `${conditions}; ${delivery}`,
  })
  report({ name: 'http.send.p50', value: of(send, 'p50Ms'), unit: 'ms' })
  report({ name: 'http.send.p99', value: of(send, 'p99Ms'), unit: 'ms', aim: '< 25' })
  report({ name: 'http.send.cpu', value: of(send, 'cpuUs'), unit: 'µs of server CPU per send', note: delivery })
  report({
    name: 'http.send.cpu-with-delivery',
    value: of(send, 'cpuWithDeliveryUs'),
    unit: 'µs of server CPU per send',
    note: 'until the last of them was delivered',
  })
  report({
    name: 'http.verify.rate',
    value: of(check, 'perSecond'),
    unit: 'checks/s',
    aim: '>= 15000',
    note: `${conditions}; a wrong and a right guess of every PIN`,
  })
  report({ name: 'http.verify.p50', value: of(check, 'p50Ms'), unit: 'ms' })
  report({ name: 'http.verify.p99', value: of(check, 'p99Ms'), unit: 'ms', aim: '< 25' })
  report({ name: 'http.verify.cpu', value: of(check, 'cpuUs'), unit: 'µs of server CPU per check' })
}

function reportPeer(name: string, peer: Rounds): void {
  report({ name: `http.${name}.send.rate`, value: of(peer.send, 'perSecond'), unit: 'sends/s' })
  report({ name: `http.${name}.send.cpu`, value: of(peer.send, 'cpuUs'), unit: 'µs of server CPU per send' })
  report({ name: `http.${name}.send.p99`, value: of(peer.send, 'p99Ms'), unit: 'ms' })
  report({ name: `http.${name}.verify.rate`, value: of(peer.check, 'perSecond'), unit: 'checks/s' })
  report({ name: `http.${name}.verify.cpu`, value: of(peer.check, 'cpuUs'), unit: 'µs of server CPU per check' })
  report({ name: `http.${name}.verify.p99`, value: of(peer.check, 'p99Ms'), unit: 'ms' })
}

function reportRatios(ours: Rounds, name: string, peer: Rounds, aim: boolean): void {
  for (const [what, key] of [
    ['send', 'send'],
    ['verify', 'check'],
  ] as const) {
    const rate = median(of(ours[key], 'perSecond')) / median(of(peer[key], 'perSecond'))
    const cpu = median(of(peer[key], 'cpuUs')) / median(of(ours[key], 'cpuUs'))
    report({ name: `http.${what}.rate-against.${name}`, value: rate, unit: 'times', ...(aim && { aim: '>= 8' }) })
    report({ name: `http.${what}.cpu-against.${name}`, value: cpu, unit: 'times less CPU' })
  }
}

stayOn(LOAD_CORE)
const ours = await rounds(await openPincall())
reportPincall(ours)
for (const [durability, check] of [
  ['wal-full', 'consume'],
  ['wal-full', 'verify'],
  ['as-shipped', 'consume'],
] as const) {
  const subject = await openPeer(durability, check)
  const peer = await rounds(subject)
  reportPeer(subject.name, peer)
  reportRatios(ours, subject.name, peer, durability === 'wal-full')
}
process.exit(0)
