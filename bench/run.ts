import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Line } from './lib/report.ts'

/**
 * `node bench/run.ts [name …]`: runs all benchmarks, or those named, one after the other; writes their lines to
 * bench/results/<date>.jsonl and prints a table. BENCH_ROUNDS and BENCH_SCALE make them shorter.
 */

const here = import.meta.dirname
/** Most minutes each. */
const ALL: Record<string, number> = {
  'sip-parse': 2,
  store: 8,
  nodes: 8,
  growth: 20,
  memory: 4,
  latency: 8,
  http: 15,
  calls: 20,
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(ALL)
const unknown = wanted.find((name) => !(name in ALL))
if (unknown) {
  console.error(`There is no benchmark ${unknown}: known are ${Object.keys(ALL).join(', ')}.`)
  process.exit(2)
}
if (!existsSync(join(here, 'node_modules'))) {
  console.error('What Pincall is compared with is not installed: npm --prefix bench install')
  process.exit(2)
}

const lines: (Line & { met?: boolean })[] = []
const results = join(here, 'results')
mkdirSync(results, { recursive: true })
const path = join(results, `${new Date().toISOString().slice(0, 16).replace(':', '')}.jsonl`)
writeFileSync(path, '')
let failed = 0

for (const name of wanted) {
  console.error(`\n── ${name} ──`)
  const status = await run(name)
  if (status !== 0) {
    failed++
    console.error(`${name} ended with ${status}`)
  }
}

function run(name: string): Promise<number | null> {
  const child = spawn(process.execPath, [join(here, `${name}.ts`)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const late = setTimeout(() => child.kill('SIGTERM'), ALL[name] * 60_000)
  createInterface({ input: child.stdout }).on('line', (text) => {
    appendFileSync(path, `${text}\n`)
    lines.push(JSON.parse(text))
  })
  return new Promise((ended) => {
    child.on('close', (status) => {
      clearTimeout(late)
      ended(status)
    })
  })
}

const cells = lines.map(({ name, value, unit, aim, met }) => [
  name,
  String(value),
  unit,
  aim ?? '',
  met === undefined ? '' : met ? 'met' : 'MISSED',
])
const widths = [0, 1, 2, 3, 4].map((column) => Math.max(0, ...cells.map((row) => row[column].length)))
for (const row of cells) {
  console.log(
    row
      .map((cell, i) => (i === 1 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd(),
  )
}
console.log(`\nWritten to ${path}`)
process.exit(failed > 0 ? 1 : 0)
