import { createHash } from 'node:crypto'

/** A short digest of what a request asked for: the same Idempotency-Key must come with the same one. */
export function fingerprint(verb: 'send' | 'resend', request: object): string {
  const { idempotencyKey: _, ...asked } = request as Record<string, unknown>
  const ordered = (_name: string, value: unknown) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value
  return createHash('sha256')
    .update(`${verb} ${JSON.stringify(asked, ordered)}`)
    .digest('hex')
    .slice(0, 32)
}
