import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codeOf } from '../../src/verification/code.ts'
import { type Ask, type Load, load, request } from './http-load.ts'
import { type BenchedPincall, numbers, PIN_LENGTH, setUp, startPincall } from './pincall.ts'
import type { BenchedPostgres } from './postgres.ts'
import { cpuMs, SERVER_CORE, startOn } from './processes.ts'
import { say } from './report.ts'

/** Servers that send and check PINs over HTTP, and what it costs them: Pincall, and what it is compared with. */

export const CONNECTIONS = 64
const IDLE_MS = 120_000

export type Round = Load & {
  /** CPU of the server's process while the load ran, and until all it owed was done, per request. */
  cpuUs: number
  cpuWithDeliveryUs: number
  /** The same of PostgreSQL. */
  databaseCpuUs: number
  databaseCpuWithDeliveryUs: number
  /** Deliveries that ended while the load ran. */
  delivered: number
}

/** A server under load, as this benchmark sees it. */
export type Subject = {
  name: string
  sends: number
  send(count: number): Promise<Round>
  /** Checks what the last `send` sent: a wrong guess, then the right one. */
  check(): Promise<Round>
  close(): Promise<void>
}

export async function openPincall(sends: number, postgres?: BenchedPostgres): Promise<Subject> {
  const pincall = await startPincall(postgres && { databaseUrl: postgres.url })
  const { applicationId, messageId } = await setUp(pincall)
  const { host } = new URL(pincall.url)
  const number = numbers()
  const deliveries = async () => {
    const [{ n }] = await pincall.read('SELECT count(*) AS n FROM deliveries WHERE closed_at IS NOT NULL')
    return Number(n)
  }
  let sent: string[] = []
  return {
    name: 'pincall',
    sends,
    async send(count) {
      sent = []
      const before = await deliveries()
      const asks = times(
        count,
        (): Ask => ({
          bytes: request(host, '/2fa/2/pin', { applicationId, messageId, to: number() }, pincall.headers),
          answered: (status, body) => status === 200 && sent.push(JSON.parse(body).pinId),
        }),
      )
      let delivered = 0
      const round = await measured(pincall, postgres, asks, async () => {
        delivered = (await deliveries()) - before
        await pincall.idle(IDLE_MS)
      })
      return { ...round, delivered }
    },
    check: () => checkPincall(pincall, postgres, host, sent),
    close: pincall.close,
  }
}

async function checkPincall(
  pincall: BenchedPincall,
  postgres: BenchedPostgres | undefined,
  host: string,
  pinIds: readonly string[],
): Promise<Round> {
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
  const round = await measured(pincall, postgres, drawn([...wrong, ...right]))
  if (verified !== pinIds.length) throw new Error(`${verified} of ${pinIds.length} right guesses were accepted`)
  return round
}

/** better-auth's phone-number plugin. On PostgreSQL it is as durable as that is. */
export async function openPeer(
  sends: number,
  durability: 'as-shipped' | 'wal-full' | 'postgres',
  check: 'consume' | 'verify',
  postgres?: BenchedPostgres,
): Promise<Subject> {
  const directory = mkdtempSync(join(tmpdir(), 'pincall-bench-peer-'))
  const peer = startOn(SERVER_CORE, process.execPath, [
    'bench/peer/better-auth.mjs',
    postgres?.url ?? join(directory, 'peer.db'),
    durability,
  ])
  const [, port] = await peer.line(/^ready (\d+)/, 30_000)
  const url = `http://127.0.0.1:${port}`
  const headers = { origin: url }
  const number = numbers()
  let sent: string[] = []
  return {
    name: postgres ? `better-auth.${check}` : `better-auth.${durability}.${check}`,
    sends,
    async send(count) {
      sent = Array.from({ length: count }, () => `+${number()}`)
      const asks = sent.map((phoneNumber) => () => ({
        bytes: request(`127.0.0.1:${port}`, '/api/auth/phone-number/send-otp', { phoneNumber }, headers),
      }))
      return measured({ pid: peer.pid, url }, postgres, drawn(asks))
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
      const round = await measured({ pid: peer.pid, url }, postgres, drawn([...wrong, ...right]), undefined, [200, 400])
      // two checks of one number that overlap are no transaction there: the right one is now and then lost to the wrong one
      if (verified < sent.length) say(`the peer accepted ${verified} of ${sent.length} right guesses`)
      if (verified < 0.9 * sent.length) throw new Error('the peer does not verify')
      return round
    },
    async close() {
      await peer.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Runs a load and takes what it cost the server and its PostgreSQL. `until` waits for what the answers still left to do. */
async function measured(
  server: { pid: number; url: string },
  postgres: BenchedPostgres | undefined,
  next: () => Ask | undefined,
  until?: () => Promise<void>,
  allowed = [200],
): Promise<Round> {
  const cost = () => ({ server: cpuMs(server.pid), database: postgres?.cpuMs() ?? 0 })
  const before = cost()
  const done = await load(server.url, CONNECTIONS, next)
  const loaded = cost()
  await until?.()
  const whole = cost()
  const others = Object.keys(done.statuses).filter((status) => !allowed.includes(Number(status)))
  if (others.length > 0) throw new Error(`answers other than ${allowed}: ${JSON.stringify(done.statuses)}`)
  const each = (ms: number) => (ms * 1000) / done.requests
  return {
    ...done,
    cpuUs: each(loaded.server - before.server),
    cpuWithDeliveryUs: each(whole.server - before.server),
    databaseCpuUs: each(loaded.database - before.database),
    databaseCpuWithDeliveryUs: each(whole.database - before.database),
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
