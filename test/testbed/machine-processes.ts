import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { sep } from 'node:path'

/** Every process whose working directory is in this directory: all that a machine of the testbed runs, children included. */
export function processesIn(directory: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const cwd = readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, '')
        return (cwd === directory || cwd.startsWith(directory + sep)) && stateOf(pid) !== 'Z'
      } catch {
        return false // it ended meanwhile, or is another user's
      }
    })
}

/** kill -9 of them all, and of what they started meanwhile. Resolves when none is left. */
export const killIn = (directory: string): Promise<void> => signalUntilNone(directory, 'SIGKILL', () => true)

/** Stops them all in the middle of what they do: connections stay open, and nobody answers on them any more. */
export const freezeIn = (directory: string): Promise<void> =>
  signalUntilNone(directory, 'SIGSTOP', (pid) => stateOf(pid) !== 'T')

async function signalUntilNone(directory: string, signal: NodeJS.Signals, left: (pid: number) => boolean) {
  for (let tries = 0; tries < 200; tries++) {
    const pids = processesIn(directory).filter(left)
    if (pids.length === 0) return
    for (const pid of pids) {
      try {
        process.kill(pid, signal)
      } catch {} // it ended by itself
    }
    await new Promise((goOn) => setTimeout(goOn, 10))
  }
  throw new Error(`${signal} was not heeded in ${directory} by ${processesIn(directory).filter(left)}`)
}

function stateOf(pid: number): string | undefined {
  try {
    return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}
