import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { encodePcmu } from '../../src/media/index.ts'
import { openSpeech } from '../../src/speech/index.ts'
import { LOAD_CORE, ROOT, type Started, startOn } from './processes.ts'

/** SIPp as the phones that are called: they ring, answer, say hello, and send sound until we hang up. */

const SPOKEN_S = 15
/** A person takes a moment with the phone in hand. */
const BEFORE_HELLO_S = 0.3

/** µ-law of a real voice that says hello and then listens: what a human's line sends for as long as a call takes. */
export async function helloSound(directory: string): Promise<string> {
  const speech = await openSpeech({ log: silentLog, clock: systemClock })
  try {
    const hello = await speech.say({ language: 'en' }, 'Hello?')
    const whole = new Int16Array(8000 * SPOKEN_S)
    whole.set(hello, 8000 * BEFORE_HELLO_S)
    const path = join(directory, 'hello.pcmu')
    writeFileSync(path, encodePcmu(whole))
    return path
  } finally {
    await speech.close()
  }
}

export type Phones = { port: number; stop(): Promise<void> }

/** Phones whose sound comes from SIPp itself, or (`soundPort`) is left to somebody who listens on that port. */
export async function startPhones(options: {
  directory: string
  port: number
  helloPath: string
  mediaPort: number
  soundPort?: number
}): Promise<Phones> {
  const { directory, port, helloPath, mediaPort, soundPort } = options
  const scenario = readFileSync(join(ROOT, 'bench/sipp/person.xml'), 'utf8')
    .replace('@AUDIO_PORT@', soundPort === undefined ? '[rtpstream_audio_port]' : String(soundPort))
    .replace(
      '@ONCE_UP@',
      soundPort === undefined ? `<nop><action><exec rtp_stream="${helloPath},1,0"/></action></nop>` : '',
    )
  mkdirSync(join(directory, String(port)), { recursive: true })
  const path = join(directory, String(port), 'person.xml')
  writeFileSync(path, scenario)
  const arguments_ = ['-sf', path, '-i', '127.0.0.1', '-p', String(port), '-mi', '127.0.0.1', '-mp', String(mediaPort)]
  const sipp: Started = startOn(
    LOAD_CORE,
    'sipp',
    [...arguments_, '-nostdin', '-timeout', '900', '-cp', String(port + 2000)],
    {
      cwd: join(directory, String(port)),
    },
  )
  await new Promise((resolve) => setTimeout(resolve, 700)) // it says nothing when it is ready
  return { port, stop: () => sipp.stop('SIGKILL') }
}
