/** How long an Idempotency-Key is remembered. */
export const IDEMPOTENCY_MS = 24 * 3_600_000

/** The contract has no paging; this is how many of the newest verifications are given. */
export const MOST_VERIFICATIONS = 10_000
