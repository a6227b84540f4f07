import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const root = resolve(import.meta.dirname, '../..')

/** The lines to paste: what stands between the two empty lines after "Paste this", without its indent. */
const pasted = (text: string): string =>
  text
    .split(/^Paste this.*\n\n/m)[1]
    ?.split('\n\n')[0]
    .replace(/^ {2}/gm, '') ?? ''

test('a new user types npm start, pastes the printed lines, and ends with a verified PIN', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'pincall-first-'))
  const server = spawn('npm', ['start'], {
    cwd: root,
    env: { ...process.env, PINCALL_HTTP_PORT: '0', PINCALL_DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  try {
    const printed = await new Promise<string>((ready, failed) => {
      let text = ''
      server.stdout.setEncoding('utf8').on('data', (more: string) => {
        text += more
        if (text.includes('Stop with Ctrl-C')) ready(text)
      })
      server.on('exit', () => failed(new Error(`npm start ended: ${text}`)))
    })
    const { stdout } = await promisify(execFile)('bash', ['-c', pasted(printed)])
    const [call, heard, verified] = stdout.trim().split('\n')
    assert.match(call, /^\{"to":"41793026727","pinId":"[0-9A-F]{32}","callStatus":"PROCESSED"\}$/)
    assert.match(heard, /^the phone heard \d{6}$/)
    assert.match(verified, /"verified":true,"attemptsRemaining":0\}$/)
  } finally {
    process.kill(-server.pid!, 'SIGTERM')
    await new Promise((ended) => server.on('exit', ended))
    rmSync(dataDir, { recursive: true, force: true })
  }
})

test('the README tells the same lines', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const welcome = readFileSync(join(root, 'src/welcome.ts'), 'utf8')
  const commands = (text: string) =>
    text
      .match(/^ *(json\(\)|post\(\)|APP=|MSG=|PIN=|post |CODE=).*$/gm)!
      .map((line) => line.trim().replace(/\\\$/g, '$'))
  assert.deepEqual(commands(readme), commands(welcome))
})
