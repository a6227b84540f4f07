/** RFC 7240: how long the client would like to wait for the outcome. */
export type Preference = {
  /** Undefined where the client has no wish. */
  waitMs: number | undefined
  /** Value of Preference-Applied; undefined where nothing was asked. */
  applied: string | undefined
}

/** A longer wish is cut to this: proxies and clients give up sooner. */
const LONGEST_WAIT_S = 120

/** Reads `respond-async` and `wait=<seconds>`; other preferences are ignored, as §2 wants. */
export function readPrefer(header: string | undefined): Preference {
  if (!header) return { waitMs: undefined, applied: undefined }
  const wishes = header.split(/[,;]/).map((each) => each.trim().toLowerCase())
  const async = wishes.includes('respond-async')
  const wait = wishes.map((wish) => /^wait\s*=\s*"?(\d{1,9})"?$/.exec(wish)?.[1]).find((each) => each !== undefined)
  const waitS = wait === undefined ? undefined : Math.min(Number(wait), LONGEST_WAIT_S)
  const applied = [...(async ? ['respond-async'] : []), ...(waitS === undefined ? [] : [`wait=${waitS}`])].join(', ')
  // §4.3: with both, wait so long and then answer all the same.
  const waitMs = waitS === undefined ? (async ? 0 : undefined) : waitS * 1000
  return { waitMs, applied: applied || undefined }
}
