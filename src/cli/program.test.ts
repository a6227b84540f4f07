import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { HANDSETS } from '../sandbox/handsets.ts'
import { ENDINGS, PERSON, SENTENCES } from './endings.ts'
import type { Io } from './io.ts'
import { runCli } from './program.ts'

async function run(...args: string[]) {
  const out: string[] = []
  const err: string[] = []
  const io: Io = {
    env: {},
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    colour: false,
    columns: 90,
  }
  const exitCode = await runCli(args, io)
  return { exitCode, out: out.join('\n'), err: err.join('\n') }
}

test('the version is the package’s', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  assert.deepEqual(await run('--version'), { exitCode: 0, out: version, err: '' })
})

test('help names every command and the first steps, and fits the terminal', async () => {
  const { exitCode, out } = await run('--help')
  assert.equal(exitCode, 0)
  for (const command of ['serve', 'demo', 'keys', 'store', 'erase', 'doctor'])
    assert.match(out, new RegExp(`^  ${command} `, 'm'))
  assert.match(out, /^First steps:$/m)
  assert.deepEqual(
    out.split('\n').filter((line) => line.length > 100),
    [],
  )
})

for (const args of [
  ['nope'],
  ['demo', '--ending', '89'],
  ['demo', '--number', '12'],
  ['demo', '--say', 'no place'],
  ['keys', 'disable'],
  ['store', 'export'],
  ['erase', '12'],
]) {
  test(`\`pincall ${args.join(' ')}\` is refused with a sentence and exit code 1, and nothing is started`, async () => {
    const { exitCode, out, err } = await run(...args)
    assert.equal(exitCode, 1)
    assert.equal(out, '')
    assert.match(err, /^error: .+/)
  })
}

test('a wrong setting ends a command with the setting’s own sentence', async () => {
  const err: string[] = []
  const io: Io = {
    env: { PINCALL_HTTP_PORT: 'x' },
    out: () => {},
    err: (line) => void err.push(line),
    colour: false,
    columns: 90,
  }
  assert.equal(await runCli(['keys', 'list'], io), 1)
  assert.match(err.join(), /PINCALL_HTTP_PORT wants a whole number/)
})

test('the endings that the demo knows are the sandbox’s, with the same outcomes', () => {
  const ours = {
    ...Object.fromEntries(Object.entries(ENDINGS).map(([digits, { status }]) => [digits, status])),
    else: PERSON.status,
  }
  const theirs = Object.fromEntries(HANDSETS.map(({ ending, callStatus }) => [ending ?? 'else', callStatus]))
  assert.deepEqual(ours, theirs)
  for (const status of Object.values(ours)) assert.ok(SENTENCES[status])
})
