/**
 * One timer for all sessions of a worker. The schedule is absolute: a tick's time is a multiple of its period, so
 * nothing drifts. Sessions of one packet time are spread over phases, so that they do not all burst at once.
 * A tick that comes a whole period late is not made up for: the session is told how many it missed.
 */

export type Tick = (nowMs: number, dueMs: number, missed: number) => void

const PHASE_MS = 4
/** The machine's timers count whole milliseconds: what falls due within half of one is due. */
const EARLY_MS = 0.5

type Phase = { periodMs: number; dueMs: number; ticks: Set<Tick> }

export class Pacer {
  readonly #now: () => number
  readonly #phases: Phase[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Calls `tick` once a period, until the returned function is called. */
  add(periodMs: number, tick: Tick): () => void {
    const phase = this.#emptiest(periodMs)
    phase.ticks.add(tick)
    this.#arm()
    return () => {
      phase.ticks.delete(tick)
    }
  }

  /** Runs what is due. The timer does it; a test may, too. */
  run(): void {
    const now = this.#now()
    for (const phase of this.#phases) {
      if (now < phase.dueMs - EARLY_MS) continue
      const missed = Math.max(0, Math.floor((now - phase.dueMs) / phase.periodMs))
      const dueMs = phase.dueMs + missed * phase.periodMs
      phase.dueMs = dueMs + phase.periodMs
      for (const tick of phase.ticks) tick(this.#now(), dueMs, missed)
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#phases.length = 0
  }

  #arm(): void {
    if (this.#timer !== undefined) return
    const due = this.#nextDueMs()
    if (due === undefined) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.run()
        this.#arm()
      },
      Math.max(1, Math.round(due - this.#now())),
    )
  }

  #nextDueMs(): number | undefined {
    let next: number | undefined
    for (const phase of this.#phases) {
      if (phase.ticks.size > 0 && (next === undefined || phase.dueMs < next)) next = phase.dueMs
    }
    return next
  }

  #emptiest(periodMs: number): Phase {
    if (!this.#phases.some((phase) => phase.periodMs === periodMs)) this.#makePhases(periodMs)
    const phases = this.#phases.filter((phase) => phase.periodMs === periodMs)
    const phase = phases.reduce((best, other) => (other.ticks.size < best.ticks.size ? other : best))
    if (phase.ticks.size === 0) this.#catchUp(phase)
    return phase
  }

  #makePhases(periodMs: number): void {
    for (let offset = 0; offset < periodMs; offset += PHASE_MS) {
      this.#phases.push({ periodMs, dueMs: offset + EARLY_MS, ticks: new Set() })
    }
  }

  /** An empty phase slept: its next tick is the next multiple, and nobody missed the ones before. */
  #catchUp(phase: Phase): void {
    const behind = this.#now() - phase.dueMs
    if (behind > 0) phase.dueMs += Math.ceil(behind / phase.periodMs) * phase.periodMs
  }
}
