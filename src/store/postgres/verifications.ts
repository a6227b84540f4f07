import { MOST_VERIFICATIONS } from '../limits.ts'
import type { Numbers } from '../numbers.ts'
import type { VerificationQuery, VerificationRow } from '../types.ts'
import type { Database } from './database.ts'

type Row = { pin_id: string; to_sealed: string; created_at: number; verified_at: number | null; sent: boolean }

/** A message went out where the SMS was handed over, or a call was answered by whomever. */
const SENT = `EXISTS (SELECT 1 FROM deliveries d WHERE d.pin_id = p.pin_id
  AND d.disposition IN ('sms_sent', 'heard', 'machine', 'lost', 'no_media'))`

/** The PINs of an application, newest first. `sentAt` is when the PIN was made, where any delivery of it went out. */
export function makeVerifications(
  database: Database,
  numbers: Numbers,
): (query: VerificationQuery) => Promise<VerificationRow[]> {
  const select = (name: string, filter: string) => ({
    name,
    text: `
      SELECT p.pin_id, p.to_sealed, p.created_at, p.verified_at, ${SENT} AS sent FROM pins p
      WHERE p.application_id = $1 AND p.account_id = $2 ${filter}
        AND ($3::boolean IS NULL OR (p.verified_at IS NOT NULL) = $3) AND ($4::boolean IS NULL OR ${SENT} = $4)
      ORDER BY p.created_at DESC, p.pin_id DESC LIMIT ${MOST_VERIFICATIONS}`,
  })
  const ofApplication = select('verifications', '')
  const ofNumber = select('verifications of number', 'AND p.to_hash = ANY ($5)')

  return async ({ applicationId, accountId, to, verified, sent }) => {
    const values = [applicationId, accountId, verified ?? null, sent ?? null]
    const rows =
      to === undefined
        ? await database.query<Row>(ofApplication, values)
        : await database.query<Row>(ofNumber, [...values, numbers.hashes(to)])
    return rows.map((row) => ({
      to: to ?? numbers.open(row.to_sealed, row.pin_id),
      verified: row.verified_at !== null,
      ...(row.verified_at !== null && { verifiedAt: row.verified_at }),
      ...(row.sent && { sentAt: row.created_at }),
    }))
  }
}
