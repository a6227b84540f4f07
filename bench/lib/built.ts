import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from './processes.ts'

/** The package as it is published, JavaScript instead of types to strip, in a directory of its own; nothing is installed. */
export function buildAsPublished(): { main: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'pincall-bench-built-'))
  const modules = join(directory, 'node_modules')
  const espeak = join(modules, '@pincall/speech-espeak')
  mkdirSync(espeak, { recursive: true })
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '@pincall' && name !== '.bin') symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  }
  copyFileSync(join(ROOT, 'package.json'), join(directory, 'package.json'))
  copyFileSync(join(ROOT, 'packages/speech-espeak/package.json'), join(espeak, 'package.json'))
  compile('tsconfig.build.json', join(directory, 'dist'))
  compile('packages/speech-espeak/tsconfig.build.json', join(espeak, 'dist'))
  return { main: join(directory, 'dist/main.js'), remove: () => rmSync(directory, { recursive: true, force: true }) }
}

function compile(project: string, outDir: string): void {
  const tsc = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project, '--outDir', outDir],
    {
      cwd: ROOT,
      encoding: 'utf8',
      timeout: 120_000,
    },
  )
  if (!existsSync(join(outDir, 'main.js')))
    throw new Error(`the compiler gave nothing: ${tsc.stdout}${tsc.stderr}${tsc.error ?? ''}`)
}
