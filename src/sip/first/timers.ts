/** RFC 3261 table 4 for unreliable transports. */
export type Timers = { t1: number; t2: number; t4: number; give: number }

export const timersOf = (t1: number): Timers => ({ t1, t2: 8 * t1, t4: 10 * t1, give: 64 * t1 })
