import { once } from 'node:events'
import { createServer, connect as dial, type Socket } from 'node:net'
import { readMessages } from './postgres-messages.ts'

/**
 * When a connection is cut. `before`: the server never hears of the statement. `during`: the server carries it out, and
 * nobody waits any more. `after`: it is carried out, and not a byte of its answer comes back. `inside`: the answer breaks off.
 * `late`: the server hears of it when the test says so.
 */
export type Moment = 'before' | 'during' | 'after' | 'inside' | 'late'

/** A way to PostgreSQL that fails when a test says so. */
export type PostgresProxy = {
  /** The same database, through here. */
  url: string
  /**
   * Cuts the connection of the next statement of that name (or, without one, that text). Resolves once it is cut and the
   * server has done with the statement where it heard of it.
   */
  cut(moment: Moment, statement: RegExp): Promise<void>
  /** Lets the server hear what was cut as `late`. */
  deliverLate(): void
  /** Cuts every connection and refuses new ones, as a dead server does; resolves once they are cut. */
  refuse(): Promise<void>
  /** Swallows every byte from now on, as a way that is gone does. */
  goSilent(): void
  /** Server and way are back. What was swallowed stays lost: connections of before are cut. */
  heal(): Promise<void>
  /** Statements that reached the server, by name or text, in order. */
  passed(): readonly string[]
  [Symbol.asyncDispose](): Promise<void>
}

type Cut = { moment: Moment; statement: RegExp; done(): void }

/** One client and the server behind it. */
type Pair = { client: Socket; server: Socket; silent: boolean }

export async function openPostgresProxy(url: string): Promise<PostgresProxy> {
  const far = new URL(url)
  const pairs = new Set<Pair>()
  const passed: string[] = []
  let cuts: Cut[] = []
  const late: (() => void)[] = []
  let silent = false
  const listener = createServer((client) => {
    const server = dial({ host: far.hostname, port: Number(far.port), noDelay: true })
    const pair: Pair = { client, server, silent }
    pairs.add(pair)
    forward(pair)
  })
  await listen(0)
  const { port } = listener.address() as { port: number }

  async function listen(at: number): Promise<void> {
    listener.listen(at, '127.0.0.1')
    await once(listener, 'listening')
  }

  /** What the client says goes on message by message, so that a statement is known before the server hears of it. */
  function forward(pair: Pair): void {
    const { client, server } = pair
    client.setNoDelay(true)
    const texts = new Map<string, string>()
    const held: Buffer[] = []
    let cut: Cut | undefined
    const outlives = () => cut?.moment === 'during' || cut?.moment === 'late'
    const end = () => {
      pairs.delete(pair)
      server.destroy()
      client.destroy()
      cut?.done()
      cut = undefined
    }
    const fromClient = readMessages({
      startup: true,
      onMessage({ bytes, type, parsed, statement }) {
        if (pair.silent) return
        if (parsed) texts.set(parsed.name, parsed.text)
        const named = statement === undefined ? undefined : statement.name || (statement.text ?? texts.get(''))
        if (named !== undefined) {
          cut ??= take(named)
          if (cut?.moment === 'before') return end()
          passed.push(named)
        }
        if (cut?.moment === 'late') held.push(bytes)
        else server.write(bytes)
        const askedInFull = type === 'S' || type === 'Q'
        if (!outlives() || !askedInFull) return
        client.resetAndDestroy()
        late.push(() => server.write(Buffer.concat(held)))
      },
    })
    const answer: Buffer[] = []
    const fromServer = readMessages({
      startup: false,
      onMessage({ bytes, type }) {
        if (pair.silent) return
        if (!cut) return void client.write(bytes)
        answer.push(bytes)
        if (type !== 'Z') return
        const whole = Buffer.concat(answer)
        if (cut.moment === 'inside') client.end(whole.subarray(0, Math.floor(whole.length / 2)), end)
        else end()
      },
    })
    client.on('data', fromClient)
    server.on('data', fromServer)
    client.on('error', () => {}) // its close follows
    server.on('error', () => {})
    client.on('close', () => outlives() || end())
    server.on('close', () => pair.silent || end())
  }

  function take(named: string): Cut | undefined {
    const found = cuts.find(({ statement }) => statement.test(named))
    cuts = cuts.filter((each) => each !== found)
    return found
  }

  const cutAll = () => {
    for (const { client, server } of [...pairs]) {
      client.resetAndDestroy()
      server.destroy()
    }
    pairs.clear()
  }

  return {
    url: Object.assign(new URL(url), { port: String(port) }).href,
    cut: (moment, statement) => new Promise((done) => cuts.push({ moment, statement, done })),
    async refuse() {
      if (!listener.listening) return
      const closed = once(listener, 'close')
      listener.close()
      cutAll()
      await closed
    },
    goSilent() {
      silent = true
      for (const pair of pairs) pair.silent = true
    },
    async heal() {
      if (silent) cutAll()
      silent = false
      if (!listener.listening) await listen(port)
    },
    deliverLate() {
      for (const deliver of late.splice(0)) deliver()
    },
    passed: () => passed,
    async [Symbol.asyncDispose]() {
      const closed = listener.listening ? once(listener, 'close') : undefined
      listener.close()
      cutAll()
      await closed
    },
  }
}
