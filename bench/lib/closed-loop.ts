import { percentile } from './report.ts'

export type Figures = {
  perSecond: number
  p99Ms: number
  /** CPU of this process, and of the database's processes where it has its own, per operation. */
  cpuUs: number
  databaseCpuUs: number
}

/** So many callers, each asking again as soon as it was answered. */
export async function closedLoop(
  atOnce: number,
  operations: number,
  operate: (i: number) => Promise<void>,
  databaseCpuMs: () => number = () => 0,
): Promise<Figures> {
  let next = 0
  const times = new Float64Array(operations)
  const caller = async () => {
    while (next < operations) {
      const i = next++
      const asked = performance.now()
      await operate(i)
      times[i] = performance.now() - asked
    }
  }
  const database = databaseCpuMs()
  const cpu = process.cpuUsage()
  const begun = performance.now()
  await Promise.all(Array.from({ length: atOnce }, caller))
  const seconds = (performance.now() - begun) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return {
    perSecond: operations / seconds,
    p99Ms: percentile(times, 0.99),
    cpuUs: (user + system) / operations,
    databaseCpuUs: ((databaseCpuMs() - database) * 1000) / operations,
  }
}
