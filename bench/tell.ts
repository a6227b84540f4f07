import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Line } from './lib/report.ts'

/**
 * `node bench/tell.ts results/<date>.jsonl …`: puts the figures into docs/performance.md, between its `figures` marks, and
 * draws docs/performance-*.svg. No figure on that page is typed by hand. A later file overrides an earlier one's figures.
 */

type Told = Line & {
  met?: boolean
  at: string
  commit: string
  machine: string
  node: string
  load1: number
  yardstickMs?: number
}

const docs = join(import.meta.dirname, '../docs')
const told = new Map<string, Told>()
for (const path of process.argv.slice(2)) {
  for (const text of readFileSync(path, 'utf8').trim().split('\n')) {
    const line: Told = JSON.parse(text)
    told.set(line.name, line)
  }
}
if (told.size === 0) throw new Error('name at least one file of results')

const pagePath = join(docs, 'performance.md')
const page = readFileSync(pagePath, 'utf8').replace(
  /(<!-- figures: ([^>]*?) -->\n)[\s\S]*?(<!-- end of figures -->)/g,
  (_whole, begin: string, names: string, end: string) => `${begin}${table(names.trim().split(/\s+/))}\n${end}`,
)
writeFileSync(pagePath, page)

/** Rows for names, or for all that begin as `http.*` does. */
function table(names: string[]): string {
  const lines = names.flatMap((name) =>
    name.endsWith('*')
      ? [...told.values()].filter((line) => line.name.startsWith(name.slice(0, -1)))
      : [told.get(name)].flatMap((line) => line ?? []),
  )
  if (lines.length === 0) return '\nNot measured yet.\n'
  const rows = lines.map(
    (line) => `| \`${line.name}\` | ${number(line.value)} | ${line.unit} | ${rangeOf(line)} | ${aimOf(line)} |`,
  )
  const notes = [...new Set(lines.map((line) => line.note).filter((note) => note !== undefined))].map(
    (note) => `- ${note}`,
  )
  const last = lines.reduce((latest, line) => (line.at > latest.at ? line : latest))
  const where = `Measured ${last.at.slice(0, 10)} at commit ${last.commit}, Node ${last.node}, ${last.machine}; load average ${last.load1} (the benchmark itself makes about 2 of it), yardstick ${last.yardstickMs ?? '?'} ms.`
  return [
    '',
    '| figure | median | unit | rounds | aim |',
    '|---|--:|---|---|---|',
    ...rows,
    '',
    ...notes,
    '',
    where,
    '',
  ].join('\n')
}

function number(value: number): string {
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : String(value)
}

function rangeOf({ rounds }: Told): string {
  if (!rounds || rounds.length < 2) return ''
  return `${number(Math.min(...rounds))} – ${number(Math.max(...rounds))}`
}

function aimOf({ aim, met, value }: Told): string {
  if (!aim) return ''
  if (met) return `${aim}: met`
  const bound = Number(/[\d.]+/.exec(aim)?.[0])
  return bound > 0 ? `${aim}: **missed** (${(value / bound).toFixed(2)} of it)` : `${aim}: **missed**`
}

/** Bars on a logarithmic scale would hide what a ratio of eight is: the scale is linear. */
function chart(title: string, unit: string, bars: [label: string, name: string][]): string | undefined {
  const known = bars.flatMap(([label, name]) => {
    const line = told.get(name)
    return line
      ? [{ label, value: line.value, aim: Number(/^>=\s*([\d.]+)/.exec(line.aim ?? '')?.[1] ?? Number.NaN) }]
      : []
  })
  if (known.length < 2) return undefined
  const [left, width, row] = [250, 330, 34]
  const most = Math.max(...known.map(({ value, aim }) => Math.max(value, aim || 0)))
  const height = 50 + known.length * row
  const body = known.flatMap(({ label, value, aim }, i) => {
    const y = 40 + i * row
    const long = Math.max(1, (width * value) / most)
    const mark = aim
      ? `<line x1="${left + (width * aim) / most}" x2="${left + (width * aim) / most}" y1="${y - 3}" y2="${y + 23}" stroke="#b91c1c" stroke-width="2"/>`
      : ''
    return [
      `<text x="${left - 8}" y="${y + 15}" text-anchor="end">${label}</text>`,
      `<rect x="${left}" y="${y}" width="${long.toFixed(1)}" height="20" fill="${label.startsWith('Pincall') ? '#1d4ed8' : '#94a3b8'}"/>`,
      mark,
      `<text x="${left + long + 8}" y="${y + 15}">${number(value)}</text>`,
    ]
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 90} ${height}" font-family="system-ui, sans-serif" font-size="13" fill="#0f172a">
<title>${title}</title>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="12" y="22" font-weight="600">${title}</text><text x="${left + width + 80}" y="22" text-anchor="end" fill="#475569">${unit}; red: the aim</text>
${body.filter(Boolean).join('\n')}
</svg>
`
}

const charts: Record<string, string | undefined> = {
  'performance-send.svg': chart('Durable sends over HTTP, one core', 'sends/s', [
    ['Pincall (WAL, FULL; delivering)', 'http.send.rate'],
    ['better-auth (WAL, FULL)', 'http.better-auth.wal-full.consume.send.rate'],
    ['better-auth as shipped', 'http.better-auth.as-shipped.consume.send.rate'],
  ]),
  'performance-verify.svg': chart('Checks over HTTP, one core', 'checks/s', [
    ['Pincall (WAL, FULL)', 'http.verify.rate'],
    ['better-auth, code only (WAL, FULL)', 'http.better-auth.wal-full.consume.verify.rate'],
    ['better-auth, with its user (WAL, FULL)', 'http.better-auth.wal-full.verify.verify.rate'],
    ['better-auth, code only, as shipped', 'http.better-auth.as-shipped.consume.verify.rate'],
  ]),
  'performance-store-send.svg': chart('Priced sends into the store, 64 at once over 50 accounts', 'sends/s', [
    ['Pincall on SQLite', 'store.sqlite.spread.64.send.rate'],
    ['Pincall on PostgreSQL', 'store.postgres.spread.64.send.rate'],
    ['one statement a send', 'store.plain-statement.spread.64.send.rate'],
    ['a transaction a send', 'store.plain-transaction.spread.64.send.rate'],
    ['Pincall on PostgreSQL, one account', 'store.postgres.hot.64.send.rate'],
    ['one statement, one account', 'store.plain-statement.hot.64.send.rate'],
    ['a transaction, one account', 'store.plain-transaction.hot.64.send.rate'],
  ]),
}
for (const [name, drawing] of Object.entries(charts)) if (drawing) writeFileSync(join(docs, name), drawing)
