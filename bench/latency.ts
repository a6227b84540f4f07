import { type Ask, load, request } from './lib/http-load.ts'
import { type BenchedPincall, numbers, setUp, startPincall } from './lib/pincall.ts'
import { childrenCpuMs, cpuMs, LOAD_CORE, stayOn } from './lib/processes.ts'
import { openRefusingTrunk, type RefusingTrunk } from './lib/refusing-trunk.ts'
import { percentile, report, roundsOr, say, scaled } from './lib/report.ts'

/**
 * From the request's first byte out of the client to the INVITE's arrival at the trunk, through the whole server: idle
 * (one call at a time) and while 50 calls a second are asked for. Request and trunk are in this process, so that one
 * clock sees both.
 */

const ROUNDS = roundsOr(3)
const IDLE_CALLS = scaled(200)
const BUSY_CALLS = scaled(1000)
const CALLS_PER_SECOND = 50
const INVITE_MS = 20_000
const CLIENTS = 32

type World = {
  pincall: BenchedPincall
  trunk: RefusingTrunk
  ids: { applicationId: string; messageId: string }
  number: () => string
}

/** One request of its own for each ask, so that the time begins with the write. */
function asking({ pincall, trunk, ids, number }: World, latencies: number[], pending: Promise<void>[]): () => Ask {
  const { host } = new URL(pincall.url)
  return () => {
    const to = number()
    const bytes = request(host, '/2fa/2/pin/voice', { ...ids, to }, { ...pincall.headers, prefer: 'respond-async' })
    const begun = performance.now()
    pending.push(
      trunk.invited(to, INVITE_MS).then((at) => {
        latencies.push(at - begun)
      }),
    )
    return { bytes }
  }
}

async function idle(world: World, calls: number): Promise<number[]> {
  const latencies: number[] = []
  for (let i = 0; i < calls; i++) {
    const pending: Promise<void>[] = []
    let asked = false
    const ask = asking(world, latencies, pending)
    await load(world.pincall.url, 1, () => {
      if (asked) return undefined
      asked = true
      return ask()
    })
    await Promise.all(pending)
    await world.pincall.idle(INVITE_MS)
  }
  return latencies
}

/** Asked for at an even pace, whatever the answers do: a slow answer must not slow the load down. */
async function busy(
  world: World,
  calls: number,
): Promise<{ latencies: number[]; cpuMsPerCall: number; speechMsPerCall: number }> {
  const latencies: number[] = []
  const pending: Promise<void>[] = []
  const ask = asking(world, latencies, pending)
  const begun = performance.now()
  const { pid } = world.pincall
  const before = { server: cpuMs(pid), speech: childrenCpuMs(pid) }
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      for (let i = client; i < calls; i += CLIENTS) {
        await new Promise((resolve) =>
          setTimeout(resolve, Math.max(0, begun + (1000 * i) / CALLS_PER_SECOND - performance.now())),
        )
        await once(world.pincall.url, ask)
      }
    }),
  )
  await Promise.all(pending)
  await world.pincall.idle(INVITE_MS)
  return {
    latencies,
    cpuMsPerCall: (cpuMs(pid) - before.server) / calls,
    speechMsPerCall: (childrenCpuMs(pid) - before.speech) / calls,
  }
}

async function once(url: string, ask: () => Ask): Promise<void> {
  let asked = false
  const { statuses } = await load(url, 1, () => {
    if (asked) return undefined
    asked = true
    return ask()
  })
  if (!statuses[200]) throw new Error(`a call was not taken: ${JSON.stringify(statuses)}`)
}

stayOn(LOAD_CORE)
const trunk = await openRefusingTrunk()
const pincall = await startPincall({
  config: `
trunks: [{ name: bench, host: 127.0.0.1, port: ${trunk.port}, callsPerSecond: 10000, concurrency: 5000 }]
routes: [{ prefix: "", trunks: [bench], caller: "41440000000", pricePerMinute: "0.01" }]
sip: { host: 127.0.0.1, port: 0, advertisedHost: 127.0.0.1 }
account: { balance: "100000" }
`,
})
try {
  const world: World = { pincall, trunk, ids: await setUp(pincall), number: numbers() }
  await idle(world, 20) // the engines start, and the clips of the voice are made
  await busy(world, 100)
  const told = { idle: [] as number[][], busy: [] as number[][], cpu: [] as number[], speech: [] as number[] }
  for (let round = 0; round < ROUNDS; round++) {
    told.idle.push(await idle(world, IDLE_CALLS))
    const { latencies, cpuMsPerCall, speechMsPerCall } = await busy(world, BUSY_CALLS)
    told.busy.push(latencies)
    told.cpu.push(cpuMsPerCall)
    told.speech.push(speechMsPerCall)
    say(
      `latency: idle p50 ${percentile(told.idle.at(-1)!, 0.5).toFixed(1)} ms, busy p50 ${percentile(latencies, 0.5).toFixed(1)} ms, p99 ${percentile(latencies, 0.99).toFixed(1)} ms`,
    )
  }
  const conditions = 'request written by the client → INVITE at the trunk, over HTTP, durable, prompts made'
  for (const [name, rounds] of [
    ['idle', told.idle],
    [`at-${CALLS_PER_SECOND}-per-second`, told.busy],
  ] as const) {
    for (const [label, share] of [
      ['p50', 0.5],
      ['p99', 0.99],
      ['max', 1],
    ] as const) {
      report({
        name: `latency.invite.${name}.${label}`,
        value: rounds.map((list) => percentile(list, share)),
        unit: 'ms',
        note: conditions,
      })
    }
  }
  report({
    name: `latency.cpu-per-refused-call`,
    value: told.cpu,
    unit: 'ms of server CPU',
    note: 'a call that is refused with 486: HTTP, store, prompts, SIP, the end of the delivery',
  })
  report({ name: 'latency.speech-cpu-per-call', value: told.speech, unit: 'ms of CPU of the speech processes' })
  report({ name: 'latency.invites', value: trunk.invites, unit: 'INVITEs, repeats included' })
} finally {
  trunk.close()
  await pincall.close()
}
process.exit(0)
