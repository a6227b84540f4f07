/** How far `later` is ahead of `earlier` on the circle of 32-bit timestamps; negative where it is behind. */
export const signedDifference = (later: number, earlier: number): number => (later - earlier) | 0
