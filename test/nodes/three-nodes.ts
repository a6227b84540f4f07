import assert from 'node:assert/strict'
import { type Followed, followEvents } from '../testbed/follow-events.ts'
import { type Nodes, startNodes } from '../testbed/nodes.ts'
import { openPhones, type Phones } from '../testbed/phones.ts'
import { testDatabases } from '../testbed/postgres.ts'
import { type RunningPincall, setUp } from '../testbed/running-server.ts'

/** Long enough that a starved machine is not taken for a dead one, short enough to wait for. */
const LEASE_S = 5

export type Call = {
  deliveryId: string
  state: string
  callStatus: string
  disposition?: string
  attempts: unknown[]
}

/** A call in progress, and which node holds it. */
export type HeldCall = AsyncDisposable & {
  pinId: string
  /** Where its resource is. */
  location: string
  /** Place of the node that carries it out, and of those that do not. */
  holder: number
  others: [number, number]
  /** Resolves when the call is at this step. */
  reached(step: string): Promise<Followed>
}

export type ThreeNodes = AsyncDisposable & {
  nodes: Nodes
  phones: Phones
  sending: Awaited<ReturnType<typeof setUp>>
  /** Body of a send over voice. */
  voice(to: string): { applicationId: string; messageId: string; to: string }
  callFrom(place: number, to: string): Promise<HeldCall>
  callsOf(node: RunningPincall, pinId: unknown): Promise<Call[]>
  /** Every number is called once in a test: whoever's phone rang twice was called again. */
  assertNobodyRangTwice(): void
}

export async function openThreeNodes(): Promise<ThreeNodes> {
  await using opening = new AsyncDisposableStack()
  const databases = opening.use(await testDatabases())
  const phones = opening.use(await openPhones({ ringMs: 1500 })) // time enough to do something while it rings
  const nodes = opening.use(
    await startNodes({
      databaseUrl: await databases.freshDatabase(),
      count: 3,
      config: `${phones.peering('ringTimeoutS: 30, noResponseMs: 30000')}calls: { leaseS: ${LEASE_S} }\n`,
      env: { PINCALL_CALL_WAIT_S: '100' },
    }),
  )
  const sending = await setUp(nodes)
  const voice = (to: string) => ({ applicationId: sending.applicationId, messageId: sending.messageId, to })
  const opened = opening.move()
  return {
    nodes,
    phones,
    sending,
    voice,
    async callFrom(place, to) {
      await using following = new AsyncDisposableStack()
      const streams = await Promise.all([0, 1, 2].map(async (at) => following.use(await followEvents(nodes.node(at)))))
      const sent = await nodes.node(place).call('POST', '/2fa/2/pin/voice', voice(to))
      assert.equal(sent.status, 200, sent.text)
      const pinId = String(sent.body.pinId)
      // Progress is told by the node that carries it out, and by no other.
      const dialled = ({ name, data }: Followed) => name === 'progress' && data.pinId === pinId
      const holder = await Promise.race(streams.map((stream, at) => stream.first(dialled).then(() => at)))
      const left = following.move()
      return {
        pinId,
        location: sent.headers.get('location')!,
        holder,
        others: [(holder + 1) % 3, (holder + 2) % 3],
        reached: (step) => streams[holder].first(({ data }) => data.pinId === pinId && data.step === step),
        [Symbol.asyncDispose]: () => left.disposeAsync(),
      }
    },
    callsOf: async (node, pinId) => JSON.parse((await node.call('GET', `/pincall/1/pins/${pinId}/calls`)).text),
    assertNobodyRangTwice() {
      for (const [to, calls] of Map.groupBy(phones.calls(), (call) => call.to)) assert.equal(calls.length, 1, to)
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
