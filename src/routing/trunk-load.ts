import type { Clock } from '../clock.ts'
import type { Trunk } from './types.ts'

/** What a trunk carries now, against what its operator allows. */
export type TrunkLoad = {
  /** Takes a place on the trunk, or says that it is full. `release` gives the place back, once. */
  take(trunk: Trunk): { release(): void } | undefined
  /** Calls up on a trunk now. */
  calls(trunk: string): number
  /** Whether the trunk ran at its calls-per-second limit in the last second: a quick 486 is then the trunk's, not the user's. */
  atRateLimit(trunk: Trunk): boolean
}

export function makeTrunkLoad(clock: Clock): TrunkLoad {
  const up = new Map<string, number>()
  const begun = new Map<string, number[]>() // times of the calls begun in the last second
  const recent = (name: string) => {
    const times = (begun.get(name) ?? []).filter((time) => time > clock.monotonic() - 1000)
    begun.set(name, times)
    return times
  }
  return {
    take(trunk) {
      const calls = up.get(trunk.name) ?? 0
      const times = recent(trunk.name)
      if (calls >= trunk.concurrency || times.length >= trunk.callsPerSecond) return undefined
      up.set(trunk.name, calls + 1)
      times.push(clock.monotonic())
      let held = true
      return {
        release() {
          if (held) up.set(trunk.name, up.get(trunk.name)! - 1)
          held = false
        },
      }
    },
    calls: (name) => up.get(name) ?? 0,
    atRateLimit: (trunk) => recent(trunk.name).length >= trunk.callsPerSecond,
  }
}
