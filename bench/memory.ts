import { setUp, startPincall } from './lib/pincall.ts'
import { childrenOf, commandOf, cpuMs, LOAD_CORE, memoryMb, stayOn } from './lib/processes.ts'
import { report, roundsOr, say } from './lib/report.ts'

/** What an idle server holds: its own process with its threads, and beside it the speech processes. */

const ROUNDS = roundsOr(3)
const SETTLE_MS = 10_000
const QUIET_MS = 5_000

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

stayOn(LOAD_CORE)
const server: number[] = []
const anonymous: number[] = []
const idleCpu: number[] = []
const speech = new Map<string, number[]>()
for (let round = 0; round < ROUNDS; round++) {
  const pincall = await startPincall()
  try {
    const ids = await setUp(pincall)
    await pincall.post('/2fa/2/pin', { ...ids, to: '41793026727' }) // every room was entered once
    await pause(SETTLE_MS)
    const before = cpuMs(pincall.pid)
    await pause(QUIET_MS)
    idleCpu.push((cpuMs(pincall.pid) - before) / (QUIET_MS / 1000))
    const { rssMb, anonMb } = memoryMb(pincall.pid)
    server.push(rssMb)
    anonymous.push(anonMb)
    for (const child of childrenOf(pincall.pid)) {
      const name = /espeak|flite/.exec(commandOf(child))?.[0] ?? commandOf(child)
      speech.set(name, [...(speech.get(name) ?? []), memoryMb(child).rssMb])
    }
    say(`idle: ${rssMb.toFixed(0)} MB, of which ${anonMb.toFixed(0)} MB are no shared files`)
  } finally {
    await pincall.close()
  }
}
report({
  name: 'memory.idle',
  value: server,
  unit: 'MB resident',
  aim: '<= 150',
  note: 'the server with its media worker and sandbox, without the speech processes',
})
report({
  name: 'memory.idle.anonymous',
  value: anonymous,
  unit: 'MB',
  note: 'of it, what is no file shared with other processes (the node binary)',
})
for (const [name, values] of speech)
  report({
    name: `memory.speech.${name}`,
    value: values,
    unit: 'MB resident',
    note: 'a process of its own beside the server',
  })
report({ name: 'idle.cpu', value: idleCpu, unit: 'ms of CPU per second, idle' })
process.exit(0)
