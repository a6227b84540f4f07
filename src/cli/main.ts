#!/usr/bin/env node
// The `pincall` command. Nothing but this file may be loaded before the runtime is known to be new enough.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(`Pincall needs Node 24.15 or newer and this is ${process.version}: see https://nodejs.org.\n`)
  process.exitCode = 1
} else {
  const { runCli } = await import('./program.ts')
  const { terminal } = await import('./io.ts')
  process.exitCode = await runCli(process.argv.slice(2), terminal)
}

export {}
