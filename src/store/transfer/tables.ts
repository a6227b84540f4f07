/**
 * What an installation consists of: the tables that an export carries, in an order in which every row finds what it refers
 * to, with all their columns. One list for both engines; a test holds it to their real tables, so that a migration can not
 * forget it.
 */

/** `?` where the column may be NULL. Integers are safe ones: |n| < 2^53. */
export type ColumnType = 'text' | 'text?' | 'integer' | 'integer?'

export type Table = {
  name: string
  /** What no two rows have in common: the order of the rows in a file. SQLite's primary key. */
  key: readonly string[]
  columns: Readonly<Record<string, ColumnType>>
}

export type Value = string | number | null
export type Row = Record<string, Value>

export const TABLES: readonly Table[] = [
  {
    name: 'accounts',
    key: ['account_id'],
    columns: {
      account_id: 'text',
      name: 'text',
      created_at: 'integer',
      balance_micros: 'integer',
      reserved_micros: 'integer',
    },
  },
  {
    name: 'ledger',
    key: ['seq'],
    columns: {
      seq: 'integer',
      account_id: 'text',
      kind: 'text',
      micros: 'integer',
      delivery_id: 'text?',
      entry_id: 'text?',
      note: 'text',
      at: 'integer',
    },
  },
  {
    name: 'logins',
    key: ['user'],
    columns: { user: 'text', account_id: 'text', password_hash: 'text' },
  },
  {
    name: 'api_keys',
    key: ['secret_hash'],
    columns: {
      secret_hash: 'text',
      key_id: 'text',
      account_id: 'text',
      name: 'text',
      enabled: 'integer',
      scopes: 'text',
      permissions: 'text',
      allowed_ips: 'text',
      valid_from: 'integer?',
      valid_to: 'integer?',
      created_at: 'integer',
    },
  },
  {
    name: 'sessions',
    key: ['token_hash'],
    columns: {
      token_hash: 'text',
      account_id: 'text',
      kind: 'text',
      expires_at: 'integer',
      slides_ms: 'integer?',
    },
  },
  {
    name: 'applications',
    key: ['application_id'],
    columns: {
      application_id: 'text',
      account_id: 'text',
      process_id: 'text',
      name: 'text',
      enabled: 'integer',
      settings: 'text',
      created_at: 'integer',
    },
  },
  {
    name: 'templates',
    key: ['template_id'],
    columns: {
      template_id: 'text',
      application_id: 'text',
      account_id: 'text',
      body: 'text',
      created_at: 'integer',
    },
  },
  {
    name: 'pins',
    key: ['pin_id'],
    columns: {
      pin_id: 'text',
      account_id: 'text',
      application_id: 'text',
      template_id: 'text',
      code_key_id: 'text',
      to_sealed: 'text',
      to_hash: 'text',
      pin_type: 'text',
      pin_length: 'integer',
      created_at: 'integer',
      expires_at: 'integer',
      max_checks: 'integer',
      checks: 'integer',
      allow_multiple: 'integer',
      verified_at: 'integer?',
      resends: 'integer',
      last_resend_at: 'integer?',
      placeholders: 'text?',
    },
  },
  {
    name: 'deliveries',
    key: ['seq'],
    columns: {
      seq: 'integer',
      delivery_id: 'text',
      pin_id: 'text',
      account_id: 'text',
      channel: 'text',
      state: 'text',
      node_id: 'text?',
      lease_until: 'integer?',
      disposition: 'text?',
      evidence: 'text?',
      created_at: 'integer',
      closed_at: 'integer?',
      reserved_micros: 'integer',
      charged_micros: 'integer',
      sender: 'text?',
      placeholders: 'text?',
    },
  },
  {
    name: 'attempts',
    key: ['delivery_seq', 'attempt_no'],
    columns: {
      delivery_seq: 'integer',
      attempt_no: 'integer',
      attempt_id: 'text',
      trunk: 'text',
      started_at: 'integer',
      ended_at: 'integer?',
      disposition: 'text?',
      evidence: 'text?',
      charged_micros: 'integer?',
    },
  },
  {
    name: 'counters',
    key: ['key'],
    columns: { key: 'text', started_at: 'integer', ends_at: 'integer', count: 'integer' },
  },
  {
    name: 'idempotency',
    key: ['account_id', 'key'],
    columns: {
      account_id: 'text',
      key: 'text',
      fingerprint: 'text',
      pin_id: 'text',
      delivery_id: 'text',
      created_at: 'integer',
    },
  },
  {
    name: 'event_heads',
    key: ['account_id'],
    columns: { account_id: 'text', seq: 'integer' },
  },
  {
    name: 'events',
    key: ['account_id', 'seq'],
    columns: {
      account_id: 'text',
      seq: 'integer',
      kind: 'text',
      at: 'integer',
      pin_id: 'text',
      delivery_id: 'text?',
      data: 'text',
    },
  },
  {
    name: 'remembered',
    key: ['name'],
    columns: { name: 'text', value: 'text' },
  },
]

/** Tables and columns that stay behind on purpose. */
export const LEFT_BEHIND: Readonly<Record<string, string>> = {
  schema_version: 'the new database has its own',
  trunk_starts: 'calls begun in the last second: over before any import is',
  trunks: 'made where a call begins (PostgreSQL)',
  'pins.checked_by':
    'resolves a commit whose answer was lost, while the program that asked is still there (PostgreSQL)',
}

/** Columns that an engine fills by itself, and that must go on behind the newest row. */
export const COUNTED_UP: readonly { table: string; column: string }[] = [
  { table: 'ledger', column: 'seq' },
  { table: 'deliveries', column: 'seq' },
]

export const namesOf = (table: Table): string[] => Object.keys(table.columns)

/**
 * A row as it stands in a file: columns in the table's order, integers as numbers. Throws where the value of a column is
 * not what the list says.
 */
export function rowOf(table: Table, raw: Readonly<Record<string, unknown>>): Row {
  const row: Row = {}
  for (const name of namesOf(table)) row[name] = checked(table, name, raw[name])
  return row
}

function checked(table: Table, name: string, value: unknown): Value {
  const type = table.columns[name]
  if (value === null && type.endsWith('?')) return null
  if (type.startsWith('text') && typeof value === 'string') return value
  if (type.startsWith('integer')) {
    const number = typeof value === 'number' ? value : Number(integerText(value)) // `pg` gives a bigint as text
    if (Number.isSafeInteger(number)) return number
  }
  throw new TypeError(`${table.name}.${name} wants ${type.replace('?', ' or null')} and has ${kindOf(value)}`)
}

const integerText = (value: unknown) => (typeof value === 'string' && /^-?\d+$/.test(value) ? value : Number.NaN)

/** Never the value itself: it may be a person's. */
const kindOf = (value: unknown) => (value === null ? 'null' : value === undefined ? 'nothing' : `a ${typeof value}`)
