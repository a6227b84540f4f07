import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { test } from 'node:test'

/** The drawing of docs/architecture.md, "Who may import whom", as a table: a room, and the rooms it may import. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  api: ['verification', 'store', 'events'],
  cli: ['api', 'store', 'sip', 'media', 'speech', 'verification'],
  verification: ['admission', 'credit', 'routing', 'store', 'events'],
  delivery: ['credit', 'routing', 'speech', 'voice', 'events', 'store'],
  admission: ['store'],
  credit: [],
  routing: ['media'],
  voice: ['sip', 'media'],
  speech: [],
  sandbox: ['sip', 'media', 'speech'],
  sip: [],
  media: [],
  events: ['store'],
  store: [],
}
/** Where only types may cross: the composition root hands the thing itself over. */
const TYPES_ONLY = new Set(['sandbox→speech', 'routing→media', 'api→events', 'admission→store', 'verification→events'])

const src = resolve(import.meta.dirname, '../src')
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

type Import = { from: string; to: string; typeOnly: boolean; specifier: string }

function importsOf(file: string): Import[] {
  const text = readFileSync(join(src, file), 'utf8')
  return [...text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?['"](\.[^'"]+)['"]/gm)].map(
    (match) => ({
      from: file,
      to: relative(src, resolve(dirname(join(src, file)), match[2])),
      typeOnly: match[1] !== undefined,
      specifier: match[2],
    }),
  )
}

const roomOf = (file: string): string | undefined => (file.includes('/') ? file.split('/')[0] : undefined)
const crossings = files
  .filter((file) => !file.endsWith('.test.ts') && !/\/(contract|testbed)/.test(file))
  .flatMap(importsOf)
  .filter((each) => roomOf(each.from) !== roomOf(each.to))

test('a room imports only the rooms below it', () => {
  const wrong = crossings.filter((each) => {
    const [from, to] = [roomOf(each.from), roomOf(each.to)]
    return from !== undefined && to !== undefined && !MAY_IMPORT[from]?.includes(to)
  })
  assert.deepEqual(
    wrong.map((each) => `${each.from} imports ${each.to}`),
    [],
  )
})

test('where only a type may cross, no code does', () => {
  const wrong = crossings.filter((each) => TYPES_ONLY.has(`${roomOf(each.from)}→${roomOf(each.to)}`) && !each.typeOnly)
  assert.deepEqual(
    wrong.map((each) => `${each.from} imports ${each.to}`),
    [],
  )
})

test('a room is entered by its face: index.ts, or types.ts for types and the closed lists beside them', () => {
  const wrong = crossings.filter((each) => {
    if (roomOf(each.to) === undefined) return false
    return !/^[a-z]+\/(index|types)\.ts$/.test(each.to)
  })
  assert.deepEqual(
    wrong.map((each) => `${each.from} imports ${each.to}`),
    [],
  )
})

test('the ground floor imports no room, and only the composition root stands above the rooms', () => {
  const above = new Set([
    'main.ts',
    'server.ts',
    'metrics.ts',
    'default-account.ts',
    'peerings.ts',
    'retention.ts',
    'voices-in-use.ts',
    'watched-store.ts',
  ])
  const wrong = crossings.filter(
    (each) => roomOf(each.from) === undefined && roomOf(each.to) !== undefined && !above.has(each.from),
  )
  assert.deepEqual(
    wrong.map((each) => `${each.from} imports ${each.to}`),
    [],
  )
  const upward = crossings.filter(
    (each) => roomOf(each.from) !== undefined && roomOf(each.from) !== 'cli' && above.has(each.to),
  )
  assert.deepEqual(
    upward.map((each) => `${each.from} imports ${each.to}`),
    [],
  )
})

test('every room of the drawing exists, and every room that exists is in the drawing', () => {
  const rooms = new Set(files.map(roomOf).filter((room) => room !== undefined))
  assert.deepEqual([...rooms].sort(), Object.keys(MAY_IMPORT).sort())
})
