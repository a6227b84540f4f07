/**
 * A row whose key grows with time is appended to a page that is in memory anyway; one with a random key dirties a page
 * of its own. So wide rows are kept in the order of their making, random keys are kept to narrow indices, and every
 * index here answers a question that the product asks.
 */
export const sql = `
CREATE TABLE accounts (
  account_id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  balance_micros INTEGER NOT NULL DEFAULT 0,
  reserved_micros INTEGER NOT NULL DEFAULT 0 CHECK (reserved_micros >= 0)
) STRICT, WITHOUT ROWID;

-- Append-only. The balances are its sum.
CREATE TABLE ledger (
  seq INTEGER NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  kind TEXT NOT NULL CHECK (kind IN ('topup', 'settle')),
  micros INTEGER NOT NULL,
  delivery_id TEXT,
  note TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE logins (
  user TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  password_hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
  secret_hash TEXT NOT NULL PRIMARY KEY,
  key_id TEXT NOT NULL UNIQUE,
  account_id TEXT NOT NULL REFERENCES accounts,
  name TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  scopes TEXT NOT NULL,
  permissions TEXT NOT NULL,
  allowed_ips TEXT NOT NULL,
  valid_from INTEGER,
  valid_to INTEGER,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_of_account ON api_keys (account_id, created_at);

CREATE TABLE sessions (
  token_hash TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  kind TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  slides_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE applications (
  application_id TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  process_id TEXT NOT NULL,
  name TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  settings TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX applications_of_account ON applications (account_id, created_at);

-- body: every field of the contract as JSON; nothing in the database asks for them one by one.
CREATE TABLE templates (
  template_id TEXT NOT NULL PRIMARY KEY,
  application_id TEXT NOT NULL REFERENCES applications,
  account_id TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX templates_of_application ON templates (application_id, created_at);

-- A pinId begins with its time, so that this table grows at its end.
CREATE TABLE pins (
  pin_id TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL,
  application_id TEXT NOT NULL,
  template_id TEXT NOT NULL REFERENCES templates,
  code_key_id TEXT NOT NULL,
  to_msisdn TEXT NOT NULL,
  pin_type TEXT NOT NULL,
  pin_length INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  max_checks INTEGER NOT NULL,
  checks INTEGER NOT NULL DEFAULT 0 CHECK (checks <= max_checks),
  allow_multiple INTEGER NOT NULL,
  verified_at INTEGER,
  resends INTEGER NOT NULL DEFAULT 0,
  last_resend_at INTEGER,
  placeholders TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX pins_of_application ON pins (application_id, created_at);
CREATE INDEX pins_of_number ON pins (to_msisdn);

CREATE TABLE deliveries (
  seq INTEGER NOT NULL PRIMARY KEY,
  delivery_id TEXT NOT NULL UNIQUE,
  pin_id TEXT NOT NULL REFERENCES pins,
  account_id TEXT NOT NULL,
  channel TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'owed' CHECK (state IN ('owed', 'claimed', 'closed')),
  node_id TEXT,
  lease_until INTEGER,
  disposition TEXT,
  evidence TEXT,
  to_msisdn TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  closed_at INTEGER,
  reserved_micros INTEGER NOT NULL CHECK (reserved_micros >= 0),
  charged_micros INTEGER NOT NULL DEFAULT 0 CHECK (charged_micros BETWEEN 0 AND reserved_micros),
  sender TEXT,
  placeholders TEXT,
  CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
  CHECK ((state = 'claimed') = (node_id IS NOT NULL AND lease_until IS NOT NULL)),
  CHECK (state <> 'closed' OR disposition IS NOT NULL)
) STRICT;
CREATE INDEX deliveries_of_pin ON deliveries (pin_id);
-- The queue: only what is open stands in it.
CREATE INDEX deliveries_open ON deliveries (state, channel) WHERE closed_at IS NULL;

CREATE TABLE attempts (
  delivery_seq INTEGER NOT NULL REFERENCES deliveries,
  attempt_no INTEGER NOT NULL,
  attempt_id TEXT NOT NULL,
  trunk TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  disposition TEXT,
  evidence TEXT,
  charged_micros INTEGER,
  PRIMARY KEY (delivery_seq, attempt_no)
) STRICT, WITHOUT ROWID;

-- A fixed window from its first request. ends_at is for the sweep; whoever counts goes by started_at and today's window.
CREATE TABLE counters (
  key TEXT NOT NULL PRIMARY KEY,
  started_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  account_id TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  pin_id TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, key)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: a number is never given twice, also where old events were removed: readers keep it as their cursor.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  pin_id TEXT NOT NULL,
  delivery_id TEXT,
  data TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_account ON events (account_id);

CREATE TABLE remembered (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`
