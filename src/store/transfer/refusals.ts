import { PincallError } from '../../errors.ts'
import type { Table } from './tables.ts'

/** An import never mixes two installations. */
export const notEmpty = (place: string, table: Table): PincallError =>
  new PincallError(
    'invalid',
    `${place} has ${wordFor(table)} already, and an import refuses to overwrite: give it a new, empty database.`,
  )

/** Only the tables that this program knows are exported: neither fewer nor more. */
export function assertSchema(place: string, version: number, newest: number): void {
  if (version === newest) return
  throw new PincallError(
    'configuration',
    version > newest
      ? `The database ${place} has schema version ${version}, this program knows versions up to ${newest}: upgrade this Pincall to the version that wrote it.`
      : `The database ${place} has schema version ${version}, this program wants ${newest}: start this version's server on it once, which brings it up to date.`,
  )
}

/** A row that the database refuses. Its own sentence names constraints and columns, never values. */
export function unkeepable(table: Table, error: unknown): unknown {
  const { message, code, errcode } = error as { message?: string; code?: string; errcode?: number }
  const refused =
    code === 'ERR_SQLITE_ERROR' ? (errcode ?? 0) % 256 === 19 : code !== undefined && /^(22|23)/.test(code)
  if (!refused) return error
  return new PincallError(
    'invalid',
    `A row of ${table.name} in this export can not be kept (${message}): nothing was written.`,
    { cause: error },
  )
}

const wordFor = ({ name }: Table) => (name === 'remembered' ? 'remembered values' : name.replace('_', ' '))
