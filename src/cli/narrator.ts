import type { Clock } from '../clock.ts'
import { fold, type Io, paint, seconds } from './io.ts'

const LABEL_WIDTH = 12
const INDENT = 4 + LABEL_WIDTH

/** Tells a story line by line, and keeps how long each part of it took. */
export class Narrator {
  readonly times: { what: string; ms: number }[] = []
  readonly #io: Io
  readonly #clock: Pick<Clock, 'monotonic'>
  #since: number

  constructor(io: Io, clock: Pick<Clock, 'monotonic'>) {
    this.#io = io
    this.#clock = clock
    this.#since = clock.monotonic()
  }

  title(text: string): void {
    this.#io.out('')
    this.#io.out(paint(this.#io, 'bold', text))
    this.#io.out('')
  }

  /** Something is done: `label` says what, `sentence` what came of it. */
  step(label: string, sentence: string, mark: 'done' | 'also' = 'done'): void {
    const head = mark === 'done' ? paint(this.#io, 'green', '✓') : paint(this.#io, 'yellow', '•')
    this.#write(`  ${head} ${paint(this.#io, 'bold', label.padEnd(LABEL_WIDTH))}`, sentence)
  }

  /** A moment within a step, `ms` after that step began. */
  moment(ms: number, word: string, sentence: string): void {
    const time = paint(this.#io, 'dim', seconds(ms).padStart(INDENT - 2))
    this.#write(`${time}  `, `${paint(this.#io, 'cyan', word.padEnd(9))} ${sentence}`)
  }

  /** The time from the last `since` or `took` up to now, under a name. */
  took(what: string): void {
    const now = this.#clock.monotonic()
    this.times.push({ what, ms: now - this.#since })
    this.#since = now
  }

  since(): void {
    this.#since = this.#clock.monotonic()
  }

  table(title: string, rows: readonly (readonly string[])[], align: 'left' | 'right' = 'left'): void {
    const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
    const last = widths.length - 1
    this.#io.out('')
    this.#io.out(paint(this.#io, 'bold', title))
    for (const row of rows) {
      const cells = row.map((cell, i) =>
        i === last ? (align === 'right' ? cell.padStart(widths[i]) : cell) : cell.padEnd(widths[i]),
      )
      this.#io.out(`    ${cells.join('  ')}`)
    }
  }

  #write(head: string, sentence: string): void {
    const [first, ...more] = fold(sentence, Math.max(24, this.#io.columns - INDENT - 1))
    this.#io.out(head + first)
    for (const line of more) this.#io.out(' '.repeat(INDENT) + line)
  }
}
