// `npm test`: every test of the tree under node's own runner, unit tests first, then the stories, which use real calls.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const asked = process.argv.slice(2)
const found = ['src', 'packages', 'test'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && !file.includes('node_modules'))
    .map((file) => join(folder, file)),
)
// Interop tests need SIPp, which npm can not bring: `.ci/run` installs it and runs them.
const files = found.filter((file) =>
  asked.length ? asked.some((part) => file.includes(part)) : !file.includes('interop'),
)
if (files.length === 0) {
  process.stderr.write(`No test file's path contains ${asked.join(' or ')}: give a part of one, such as src/sip.\n`)
  process.exit(1)
}
// Tests that listen to sound in real time have a turn of their own, when nothing computes beside them: on a machine of two cores
// a starved pacer sends late packets, and a phone does not understand what it hears.
const LISTENING = /^test\/(?!house)|sandbox\.test|media\/engine|cli\/examples/
// Several nodes and their database are a machine full by themselves: those go one after the other.
const NODES = /^test\/(nodes\/|interop\/failover)/
const turns = [
  { atOnce: 2, files: files.filter((file) => !LISTENING.test(file)) },
  { atOnce: 2, files: files.filter((file) => LISTENING.test(file) && !NODES.test(file)) },
  { atOnce: 1, files: files.filter((file) => NODES.test(file)) },
]
let failed = false
for (const { atOnce, files: turn } of turns.filter((each) => each.files.length > 0)) {
  const run = spawnSync(
    process.execPath,
    ['--test', `--test-concurrency=${atOnce}`, '--test-timeout=300000', '--test-reporter=spec', ...turn],
    { cwd: root, stdio: 'inherit' },
  )
  failed ||= run.status !== 0
}
process.exit(failed ? 1 : 0)
