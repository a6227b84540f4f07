import { rmSync } from 'node:fs'
import { killIn } from './machine-processes.ts'

/**
 * Ends a cluster when its test ends, however that ends: its stdin closes even after a kill -9 of the test. Then everything
 * that works in the cluster's directory is killed, and the directory removed.
 */
const directory = process.argv[2]
process.stdin.resume().on('end', async () => {
  await killIn(directory)
  rmSync(directory, { recursive: true, force: true })
})
