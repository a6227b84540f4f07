import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { EngineName } from './voices.ts'

const here = import.meta.url
const isSource = here.endsWith('.ts')

/** The file that runs an engine: from source as it lies in the repository, else as the published packages have it. */
export function engineProgram(name: EngineName): string {
  if (name === 'flite') return fileURLToPath(new URL(isSource ? './flite-program.ts' : './flite-program.js', here))
  if (isSource) return fileURLToPath(new URL('../../packages/speech-espeak/src/main.ts', here))
  return createRequire(here).resolve('@pincall/speech-espeak')
}
