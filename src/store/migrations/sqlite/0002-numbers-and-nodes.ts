import { type Numbers, wrongMasterKey } from '../../numbers.ts'
import type { Database } from '../../sqlite/database.ts'

/**
 * People's numbers are sealed, and found by a keyed hash; events are numbered per account; calls are limited per trunk over
 * all nodes. Tables that lose a column are made anew: altered in place they would keep an empty default, or a copy in clear.
 */
export function run(database: Database, { numbers }: { numbers: Numbers }): void {
  const remembered = database.prepare<{ value: string }>('SELECT value FROM remembered WHERE name = ?')
  for (const { name, keyId, fingerprint } of numbers.fingerprints) {
    const known = remembered.get(name)?.value ?? fingerprint
    if (known !== fingerprint) throw wrongMasterKey(keyId) // before anything is sealed with it
  }
  database.define('sealed', (number, pinId) => numbers.seal(String(number), String(pinId)))
  database.define('hashed', (text) => numbers.hash(String(text)))
  // `send-number:<application>:<number>`: what stands behind the last colon is hashed
  database.define('hashed_key', (key) => String(key).replace(/[^:]*$/, (number) => numbers.hash(number)))
  database.exec(sql)
}

const sql = `
CREATE TABLE pins_2 (
  pin_id TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL,
  application_id TEXT NOT NULL,
  template_id TEXT NOT NULL REFERENCES templates,
  code_key_id TEXT NOT NULL,
  to_sealed TEXT NOT NULL,
  to_hash TEXT NOT NULL,
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
INSERT INTO pins_2
  SELECT pin_id, account_id, application_id, template_id, code_key_id, sealed(to_msisdn, pin_id), hashed(to_msisdn), pin_type,
    pin_length, created_at, expires_at, max_checks, checks, allow_multiple, verified_at, resends, last_resend_at, placeholders
  FROM pins ORDER BY pin_id;
DROP TABLE pins;
ALTER TABLE pins_2 RENAME TO pins;
CREATE INDEX pins_of_application ON pins (application_id, created_at);
CREATE INDEX pins_of_number ON pins (to_hash);

-- The number of a delivery is its PIN's.
CREATE TABLE deliveries_2 (
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
INSERT INTO deliveries_2
  SELECT seq, delivery_id, pin_id, account_id, channel, state, node_id, lease_until, disposition, evidence, created_at,
    closed_at, reserved_micros, charged_micros, sender, placeholders
  FROM deliveries ORDER BY seq;
DROP TABLE deliveries;
ALTER TABLE deliveries_2 RENAME TO deliveries;
CREATE INDEX deliveries_of_pin ON deliveries (pin_id);
-- The queue: only what is open stands in it.
CREATE INDEX deliveries_open ON deliveries (state, channel) WHERE closed_at IS NULL;

-- What a trunk carries now.
CREATE INDEX attempts_open ON attempts (trunk) WHERE ended_at IS NULL;
-- Calls begun over a trunk in the last second.
CREATE TABLE trunk_starts (
  trunk TEXT NOT NULL,
  attempt_id TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  PRIMARY KEY (trunk, started_at, attempt_id)
) STRICT, WITHOUT ROWID;

UPDATE counters SET key = hashed_key(key) WHERE key LIKE 'send-number:%' OR key LIKE 'check:%';
UPDATE idempotency SET fingerprint = hashed(fingerprint);

-- An entry that must be there once has an id: a top-up, a day's sum of settlements.
ALTER TABLE ledger ADD COLUMN entry_id TEXT;
CREATE UNIQUE INDEX ledger_entries ON ledger (entry_id) WHERE entry_id IS NOT NULL;
-- Settlements that stand alone still: in time they become a sum.
CREATE INDEX ledger_of_deliveries ON ledger (account_id, at) WHERE delivery_id IS NOT NULL;

-- The number of an account's newest event. Events so far keep their numbers, which are many readers' cursors; as a cursor
-- may also be the newest number of any account, every account goes on behind that.
CREATE TABLE event_heads (
  account_id TEXT NOT NULL PRIMARY KEY,
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO event_heads
  SELECT account_id, seq FROM accounts, (SELECT seq FROM sqlite_sequence WHERE name = 'events') WHERE seq > 0;

CREATE TABLE events_2 (
  account_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  pin_id TEXT NOT NULL,
  delivery_id TEXT,
  data TEXT NOT NULL,
  PRIMARY KEY (account_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO events_2 SELECT account_id, seq, kind, at, pin_id, delivery_id, data FROM events ORDER BY account_id, seq;
DROP TABLE events;
ALTER TABLE events_2 RENAME TO events;
-- What hangs on a PIN goes with it.
CREATE INDEX events_of_pin ON events (pin_id);
`
