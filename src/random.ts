import { createHash, randomBytes } from 'node:crypto'

/** Chance as an argument: the program draws from the system's CSPRNG, a test from a seed. */
export type Random = {
  bytes(count: number): Buffer
  /** A whole number from 0 to `below` − 1, every one equally likely. `below` is at most 2^32. */
  int(below: number): number
  /** `count` bytes as lower-case hex. */
  hex(count: number): string
}

function over(bytes: (count: number) => Buffer): Random {
  return {
    bytes,
    int(below) {
      if (!Number.isInteger(below) || below < 1 || below > 2 ** 32) throw new RangeError(`int(${below})`)
      const limit = 2 ** 32 - (2 ** 32 % below) // values past the last whole multiple would favour the low numbers
      for (;;) {
        const drawn = bytes(4).readUInt32BE()
        if (drawn < limit) return drawn % below
      }
    },
    hex: (count) => bytes(count).toString('hex'),
  }
}

const POOL_BYTES = 4096
let pool: Buffer = Buffer.alloc(0)
let used = 0

/** The CSPRNG, drawn in blocks: a call to the kernel for each SIP tag would cost more than the tag. */
export const systemRandom: Random = over((count) => {
  if (count > POOL_BYTES / 4) return randomBytes(count)
  if (used + count > pool.length) {
    pool = randomBytes(POOL_BYTES)
    used = 0
  }
  const drawn = Buffer.from(pool.subarray(used, used + count))
  pool.fill(0, used, used + count)
  used += count
  return drawn
})

/** The same numbers for the same seed: for tests and simulations, never for a secret. */
export function seededRandom(seed: string | number): Random {
  let counter = 0
  return over((count) => {
    const blocks: Buffer[] = []
    for (let length = 0; length < count; length += 32) {
      blocks.push(createHash('sha256').update(`${seed}:${counter++}`).digest())
    }
    return Buffer.concat(blocks).subarray(0, count)
  })
}
