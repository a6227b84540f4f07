// Makes a fresh clone ready: installs the locked packages where they are missing or out of date, and checks the runtime.
// Runs on any Node that npm itself runs on, so nothing here may need a recent one.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stamp = join(root, 'node_modules', '.pincall-installed')
const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')
const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8').split('\n') : []
const wantsDev = process.argv.includes('--dev') || installed[1] === 'dev' // a developer's tools are not taken away
const complete = installed[0] === lock && (installed[1] === 'dev' || !wantsDev)

if (!complete) {
  process.stderr.write(`Installing packages (${wantsDev ? 'with' : 'without'} development tools)…\n`)
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...(wantsDev ? [] : ['--omit=dev'])]
  const npm = process.env.npm_execpath
  const run = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
    : spawnSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  if (run.status !== 0) {
    process.stderr.write('The packages could not be installed: see the lines above, then run the same command again.\n')
    process.exit(1)
  }
  writeFileSync(stamp, `${lock}\n${wantsDev ? 'dev' : 'run'}\n`)
}

const local = join(root, 'node_modules', '.bin', 'node')
const version = execFileSync(existsSync(local) ? local : process.execPath, ['--version'], { encoding: 'utf8' }).trim()
const [major, minor] = version.slice(1).split('.').map(Number)
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(
    `Pincall needs Node 24.15 or newer and found ${version}: install one from https://nodejs.org, then run the same command again.\n`,
  )
  process.exit(1)
}
