import type { VerificationQuery, VerificationRow } from '../types.ts'
import type { Database, Statement } from './database.ts'

type Row = { to_msisdn: string; created_at: number; verified_at: number | null; sent: number }

/** The contract has no paging; this is how many of the newest are given. */
export const MOST_VERIFICATIONS = 10_000

/** A message went out where the SMS was handed over, or a call was answered by whomever. */
const SENT = `EXISTS (SELECT 1 FROM deliveries d WHERE d.pin_id = p.pin_id
  AND d.disposition IN ('sms_sent', 'heard', 'machine', 'lost', 'no_media'))`

/** The PINs of an application, newest first. `sentAt` is when the PIN was made, where any delivery of it went out. */
export function prepareVerifications(database: Database): (query: VerificationQuery) => VerificationRow[] {
  // the index is named: left alone, SQLite reads a whole application to have its order for nothing
  const select = (index: string, filter: string): Statement<Row> =>
    database.prepare<Row>(`
      SELECT p.to_msisdn, p.created_at, p.verified_at, ${SENT} AS sent FROM pins p INDEXED BY ${index}
      WHERE p.application_id = ?1 AND p.account_id = ?2 ${filter}
        AND (?3 IS NULL OR (p.verified_at IS NOT NULL) = ?3) AND (?4 IS NULL OR sent = ?4)
      ORDER BY p.created_at DESC, p.pin_id DESC LIMIT ${MOST_VERIFICATIONS}`)
  const ofApplication = select('pins_of_application', '')
  const ofNumber = select('pins_of_number', 'AND p.to_msisdn = ?5')

  return ({ applicationId, accountId, to, verified, sent }) => {
    const values = [applicationId, accountId, asked(verified), asked(sent)]
    const rows = to === undefined ? ofApplication.all(...values) : ofNumber.all(...values, to)
    return rows.map((row) => ({
      to: row.to_msisdn,
      verified: row.verified_at !== null,
      ...(row.verified_at !== null && { verifiedAt: row.verified_at }),
      ...(row.sent === 1 && { sentAt: row.created_at }),
    }))
  }
}

const asked = (flag: boolean | undefined): number | null => (flag === undefined ? null : Number(flag))
