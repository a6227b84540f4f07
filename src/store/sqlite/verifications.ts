import { MOST_VERIFICATIONS } from '../limits.ts'
import type { Numbers } from '../numbers.ts'
import type { VerificationQuery, VerificationRow } from '../types.ts'
import type { Database, Statement } from './database.ts'

type Row = { pin_id: string; to_sealed: string; created_at: number; verified_at: number | null; sent: number }

/** A message went out where the SMS was handed over, or a call was answered by whomever. */
const SENT = `EXISTS (SELECT 1 FROM deliveries d WHERE d.pin_id = p.pin_id
  AND d.disposition IN ('sms_sent', 'heard', 'machine', 'lost', 'no_media'))`

/** The PINs of an application, newest first. `sentAt` is when the PIN was made, where any delivery of it went out. */
export function prepareVerifications(
  database: Database,
  numbers: Numbers,
): (query: VerificationQuery) => VerificationRow[] {
  // the index is named: left alone, SQLite reads a whole application to have its order for nothing
  const select = (index: string, filter: string): Statement<Row> =>
    database.prepare<Row>(`
      SELECT p.pin_id, p.to_sealed, p.created_at, p.verified_at, ${SENT} AS sent FROM pins p INDEXED BY ${index}
      WHERE p.application_id = ?1 AND p.account_id = ?2 ${filter}
        AND (?3 IS NULL OR (p.verified_at IS NOT NULL) = ?3) AND (?4 IS NULL OR sent = ?4)
      ORDER BY p.created_at DESC, p.pin_id DESC LIMIT ${MOST_VERIFICATIONS}`)
  const ofApplication = select('pins_of_application', '')
  const ofNumber = select('pins_of_number', 'AND p.to_hash IN (SELECT value FROM json_each(?5))')

  return ({ applicationId, accountId, to, verified, sent }) => {
    const values = [applicationId, accountId, asked(verified), asked(sent)]
    const rows =
      to === undefined ? ofApplication.all(...values) : ofNumber.all(...values, JSON.stringify(numbers.hashes(to)))
    return rows.map((row) => ({
      to: to ?? numbers.open(row.to_sealed, row.pin_id),
      verified: row.verified_at !== null,
      ...(row.verified_at !== null && { verifiedAt: row.verified_at }),
      ...(row.sent === 1 && { sentAt: row.created_at }),
    }))
  }
}

const asked = (flag: boolean | undefined): number | null => (flag === undefined ? null : Number(flag))
