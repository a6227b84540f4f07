#!/usr/bin/env node
// Pincall speech-espeak: a program that speaks. Copyright (C) 2025 the Pincall authors.
// Free software under the GNU General Public License, version 3 or later: see LICENSE. The protocol is in README.md.
import load, { type EspeakWorker } from '@echogarden/espeak-ng-emscripten'

type Request = { id: number; voice: string; rate?: number; pitch?: number; text: string; fault?: boolean }

const LONGEST_LINE = 65_536
const LONGEST_S = 120
const DEFAULT_PITCH = 50 // espeak-ng's own, of 0–99

let currentVoice: string | undefined

function speak(worker: EspeakWorker, request: Request): Int16Array {
  if (request.fault) throw new Error('a fault was asked for')
  if (typeof request.text !== 'string' || typeof request.voice !== 'string')
    throw new Error('voice and text are wanted')
  if (request.voice !== currentVoice) {
    currentVoice = undefined
    if (worker.set_voice(request.voice) !== 0) throw new Error('this voice is not known')
    currentVoice = request.voice
  }
  worker.set_rate(Math.round(request.rate ?? 175))
  worker.set_pitch(Math.min(99, Math.max(0, Math.round(DEFAULT_PITCH * (request.pitch ?? 1)))))
  const pieces: Int16Array[] = []
  let samples = 0
  worker.synthesize(request.text, (audio) => {
    if (audio?.length) {
      pieces.push(audio.slice()) // a view on the engine's heap may be overwritten by the next piece
      samples += audio.length
    }
    return samples > LONGEST_S * worker.samplerate
  })
  const whole = new Int16Array(samples)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

function answer(worker: EspeakWorker, line: string): void {
  let id: number | null = null
  try {
    const request: Request = JSON.parse(line)
    id = request.id
    const audio = speak(worker, request)
    process.stdout.write(`${JSON.stringify({ id, sampleRate: worker.samplerate, samples: audio.length })}\n`)
    process.stdout.write(Buffer.from(audio.buffer, audio.byteOffset, audio.byteLength))
  } catch (error) {
    // A sentence of ours or of JSON.parse; the latter would quote the text, which is nobody's business in a log.
    const sentence = error instanceof SyntaxError ? 'the line is not JSON' : String((error as Error).message)
    process.stdout.write(`${JSON.stringify({ id, error: sentence })}\n`)
  }
}

const worker = await load().then((module) => new module.eSpeakNGWorker())
let rest = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', (text: string) => {
  rest += text
  for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
    answer(worker, rest.slice(0, end))
    rest = rest.slice(end + 1)
  }
  if (rest.length > LONGEST_LINE) process.exit(2)
})
process.stdin.on('end', () => process.exit(0)) // whoever started us is gone or done
process.stdout.on('error', () => process.exit(0))
