import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Line } from './lib/report.ts'

/**
 * `node bench/run.ts [name …]`: runs all benchmarks, or those named, one after the other; writes their lines to
 * bench/results/<date>.jsonl and prints a table. `engines` stands for all that compare the two engines. BENCH_ROUNDS and
 * BENCH_SCALE make them shorter.
 */

const here = import.meta.dirname
type Benchmark = { file: string; args?: string[] /** At most. */; minutes: number }
const ALL: Record<string, Benchmark> = {
  'sip-parse': { file: 'sip-parse', minutes: 2 },
  store: { file: 'store', minutes: 10 },
  churn: { file: 'churn', minutes: 4 },
  nodes: { file: 'nodes', minutes: 8 },
  growth: { file: 'growth', minutes: 45 },
  memory: { file: 'memory', minutes: 4 },
  latency: { file: 'latency', minutes: 8 },
  http: { file: 'http', args: ['sqlite'], minutes: 15 },
  'http-postgres': { file: 'http', args: ['postgres'], minutes: 6 },
  calls: { file: 'calls', minutes: 20 },
}
const ENGINES = ['store', 'churn', 'nodes', 'growth', 'http-postgres']

const asked = process.argv.slice(2).flatMap((name) => (name === 'engines' ? ENGINES : name))
const wanted = asked.length > 0 ? asked : Object.keys(ALL)
const unknown = wanted.find((name) => !(name in ALL))
if (unknown) {
  console.error(`There is no benchmark ${unknown}: known are ${Object.keys(ALL).join(', ')}, and engines.`)
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
  const { file, args = [], minutes } = ALL[name]
  const child = spawn(process.execPath, [join(here, `${file}.ts`), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const late = setTimeout(() => child.kill('SIGTERM'), minutes * 60_000)
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
