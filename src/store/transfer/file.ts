import { createReadStream, createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline as join, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { PincallError } from '../../errors.ts'
import { notWhole } from './import.ts'

/**
 * Writes text to a stream, or into a new file that its owner alone can read, gzipped where its name ends so. A file is on
 * the disk when this resolves, and gone where it was not finished.
 */
export async function writeText(to: string | NodeJS.WritableStream, text: AsyncIterable<string>): Promise<void> {
  const pieces = Readable.from(text, { highWaterMark: 1 }) // read no further than was written
  if (typeof to !== 'string') return await pipeline(pieces, to, { end: false })
  const file = createWriteStream(to, { flags: 'wx', mode: 0o600, flush: true })
  let mine = false
  file.once('open', () => {
    mine = true
  })
  try {
    if (to.endsWith('.gz')) await pipeline(pieces, createGzip(), file)
    else await pipeline(pieces, file)
  } catch (error) {
    if (mine) await rm(to, { force: true })
    throw reasoned(error, to, 'written')
  }
}

/** The lines of a file, or of what else streams. Holds one of them at a time. */
export async function* linesOf(from: string | NodeJS.ReadableStream): AsyncGenerator<string> {
  const stream = typeof from === 'string' ? opened(from) : from
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const chunk of stream) {
      rest += decoder.decode(chunk as Buffer, { stream: true })
      const lines = rest.split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
  } catch (error) {
    throw reasoned(error, typeof from === 'string' ? from : 'The input', 'read')
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}

function opened(path: string): NodeJS.ReadableStream {
  const file = createReadStream(path)
  return path.endsWith('.gz') ? join(file, createGunzip(), () => {}) : file // its error reaches whoever reads
}

function reasoned(error: unknown, path: string, done: 'read' | 'written'): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code?.startsWith('Z_')) return notWhole('is not what gzip wrote, or not all of it')
  if (code === 'EEXIST') return refusal(`${path} exists already, and nothing is overwritten: name a new file.`, error)
  if (code === 'ENOENT' && done === 'read') return refusal(`There is no file ${path}.`, error)
  if (code && /^E[A-Z]+$/.test(code)) return refusal(`${path} can not be ${done}: ${message}.`, error)
  return error
}

const refusal = (sentence: string, cause: unknown) => new PincallError('invalid', sentence, { cause })
