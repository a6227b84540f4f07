import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { systemRandom } from '../../src/random.ts'
import { openSandbox, type Sandbox } from '../../src/sandbox/index.ts'
import { openSpeech } from '../../src/speech/index.ts'

/** Phones in the test's own process: they outlive every server that calls them, and count for themselves. */
export type Phones = Sandbox & {
  /** `trunks` and `routes` of a configuration file that lead to them; `more` are further fields of each trunk. */
  peering(more?: string, trunks?: number): string
  [Symbol.asyncDispose](): Promise<void>
}

export async function openPhones(options: { ringMs?: number } = {}): Promise<Phones> {
  const speech = await openSpeech({ log: silentLog, clock: systemClock })
  const sandbox = await openSandbox({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    speech,
    host: '127.0.0.1',
    ...options,
  })
  const close = async () => {
    await sandbox.close()
    await speech.close()
  }
  return Object.assign(sandbox, {
    peering(more = 'ringTimeoutS: 30', trunks = sandbox.trunks.length) {
      const used = sandbox.trunks.slice(0, trunks)
      return `
trunks:
${used.map(({ name, host, port }) => `  - { name: ${name}, host: ${host}, port: ${port}, ${more} }`).join('\n')}
routes: [{ prefix: "", trunks: [${used.map(({ name }) => name).join(', ')}], caller: "41440000000", pricePerMinute: "0.5" }]
sip: { host: 127.0.0.1, port: 0, advertisedHost: 127.0.0.1 }
account: { balance: "1000" }
`
    },
    [Symbol.asyncDispose]: close,
  })
}
