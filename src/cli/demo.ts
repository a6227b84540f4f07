import { type Clock, systemClock } from '../clock.ts'
import { type DemoServer, findOrStart } from './demo-server.ts'
import { tellStory } from './demo-story.ts'
import { ENDINGS } from './endings.ts'
import { type Io, seconds } from './io.ts'
import { Narrator } from './narrator.ts'

export type DemoOptions = { number: string; ending?: string; say: string }

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** `pincall demo`. Throws `Failure` with one sentence where the story breaks; a server started here is closed either way. */
export async function demo(
  io: Io,
  options: DemoOptions,
  find: (env: NodeJS.ProcessEnv) => Promise<DemoServer> = findOrStart,
  clock: Pick<Clock, 'monotonic' | 'wait'> = systemClock,
): Promise<void> {
  const number = options.ending ? options.number.slice(0, -2) + options.ending : options.number
  const tell = new Narrator(io, clock)
  tell.title('Pincall: a PIN by text, then by a real phone call, then verified')
  const begun = clock.monotonic()
  const server = await find(io.env)
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= server.close()
    return closing
  }
  const interrupted = (_signal: string, signalNumber: number) =>
    void close().finally(() => process.exit(128 + signalNumber))
  for (const signal of SIGNALS) process.once(signal, interrupted)
  try {
    tell.step('server', server.sentence)
    tell.took('server')
    await tellStory({ wire: server.wire, tell, clock }, { number, text: options.say })
    const rows = tell.times.map(({ what, ms }) => [what, seconds(ms)])
    tell.table('How long it took', [...rows, ['in all', seconds(clock.monotonic() - begun)]], 'right')
    tell.table('What to try next', whatNext(io, number))
    io.out('')
  } finally {
    await close()
    for (const signal of SIGNALS) process.off(signal, interrupted)
  }
}

/** Each other way a call can go, and the server itself. */
function whatNext(io: Io, number: string): string[][] {
  const byNpm = io.env.npm_lifecycle_event === 'demo'
  const again = byNpm ? 'npm run demo -- --ending' : 'pincall demo --ending'
  const others = Object.entries(ENDINGS)
    .filter(([digits]) => !number.endsWith(digits))
    .map(([digits, { handset }]) => [`${again} ${digits}`, handset])
  return [...others, [byNpm ? 'npm start' : 'pincall serve', 'the server itself, with lines to paste']]
}
