import { createHash } from 'node:crypto'
import { TABLES } from './tables.ts'
import { lineOf, type Tally } from './tally.ts'
import type { Schema, Source } from './types.ts'

export const FORMAT = 'pincall-export'
/** Of the file, not of the tables: raised where an older program would misread a newer file. */
export const FORMAT_VERSION = 1

export type Header = { format: typeof FORMAT; version: number; schema: Schema; at: string }

export const headerSum = (line: string): string => createHash('sha256').update(line).digest('hex')

/**
 * The text of an export, in pieces of whole lines: the header, every row, and last what all of them come to, without which
 * a file is not whole. `tally` knows the totals once the last piece was taken.
 */
export async function* exportText(source: Source, now: number, tally: Tally): AsyncGenerator<string> {
  const header: Header = {
    format: FORMAT,
    version: FORMAT_VERSION,
    schema: source.schema,
    at: new Date(now).toISOString(),
  }
  const first = JSON.stringify(header)
  yield `${first}\n`
  for (const table of TABLES) {
    for await (const page of source.rows(table)) {
      let text = ''
      for (const row of page) {
        const line = lineOf(table, row)
        tally.add(table, row, line)
        text += line
      }
      yield text
    }
  }
  yield `${JSON.stringify({ end: true, header: headerSum(first), ...tally.totals() })}\n`
}
