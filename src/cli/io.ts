import { styleText } from 'node:util'

/** What a command sees of the terminal: a test gives its own. */
export type Io = {
  env: NodeJS.ProcessEnv
  /** A line to stdout: what was asked for. */
  out(line: string): void
  /** A line to stderr: what went wrong. */
  err(line: string): void
  /** Whether stdout shows colours. */
  colour: boolean
  /** Characters in a line of the terminal; Infinity where nobody folds them. */
  columns: number
}

export const terminal: Io = {
  env: process.env,
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  colour: process.stdout.isTTY === true && process.stdout.hasColors(),
  columns: process.stdout.isTTY ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY,
}

type Format = Parameters<typeof styleText>[0]

export const paint = (io: Io, format: Format, text: string): string =>
  io.colour ? styleText(format, text, { validateStream: false }) : text

/** Folds `text` at spaces so that no line is longer than `width`; a longer word gets a line of its own. */
export function fold(text: string, width: number): string[] {
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!
    if (line === '') lines[lines.length - 1] = word
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}

/** 61 → `0.06 s`: what a person reads at a glance. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

/** What ends a command: one sentence for a person, and the program's exit code. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly exitCode: number

  constructor(sentence: string, exitCode = 1, options?: ErrorOptions) {
    super(sentence, options)
    this.exitCode = exitCode
  }
}
