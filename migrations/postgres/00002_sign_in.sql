-- +goose Up
DROP TABLE staff_keys;
ALTER TABLE staff ADD COLUMN user_id TEXT NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN unit TEXT NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN state TEXT NOT NULL DEFAULT 'new';
ALTER TABLE staff ADD COLUMN epoch BIGINT NOT NULL DEFAULT 1;
ALTER TABLE staff ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE staff NO FORCE ROW LEVEL SECURITY;
UPDATE staff SET user_id = office || '-' || substr(id, 25);
ALTER TABLE staff FORCE ROW LEVEL SECURITY;
CREATE UNIQUE INDEX staff_user ON staff (office, user_id);
CREATE TABLE passwords (
  office     TEXT NOT NULL,
  staff_id   TEXT NOT NULL,
  phc        TEXT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (office, staff_id),
  FOREIGN KEY (office, staff_id) REFERENCES staff (office, id)
);
CREATE TABLE passkeys (
  office     TEXT NOT NULL,
  id         TEXT NOT NULL,
  staff_id   TEXT NOT NULL,
  label      TEXT NOT NULL,
  credential BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  used_at    BIGINT NOT NULL,
  PRIMARY KEY (office, id),
  FOREIGN KEY (office, staff_id) REFERENCES staff (office, id)
);
CREATE INDEX passkeys_staff ON passkeys (office, staff_id);
CREATE TABLE cards (
  office      TEXT NOT NULL,
  fingerprint BYTEA NOT NULL,
  staff_id    TEXT NOT NULL,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (office, fingerprint),
  FOREIGN KEY (office, staff_id) REFERENCES staff (office, id)
);
CREATE INDEX cards_staff ON cards (office, staff_id);
CREATE TABLE setup_links (
  office     TEXT NOT NULL,
  hash       BYTEA NOT NULL,
  staff_id   TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (office, hash),
  FOREIGN KEY (office, staff_id) REFERENCES staff (office, id)
);
CREATE TABLE challenges (
  office     TEXT NOT NULL,
  hash       BYTEA NOT NULL,
  staff_id   TEXT NOT NULL,
  purpose    TEXT NOT NULL,
  data       BYTEA NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (office, hash),
  FOREIGN KEY (office, staff_id) REFERENCES staff (office, id)
);
CREATE TABLE sessions (
  office   TEXT NOT NULL,
  id       TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  epoch    BIGINT NOT NULL,
  seen_at  BIGINT NOT NULL,
  ends_at  BIGINT NOT NULL,
  data     BYTEA NOT NULL,
  PRIMARY KEY (office, id),
  FOREIGN KEY (office, staff_id) REFERENCES staff (office, id)
);
CREATE INDEX sessions_staff ON sessions (office, staff_id);
-- Failed sign-ins in a row, by the hash of an account, an address or a known terminal.
CREATE TABLE attempts (
  office   TEXT NOT NULL,
  subject  BYTEA NOT NULL,
  failures BIGINT NOT NULL,
  last_at  BIGINT NOT NULL,
  wait_to  BIGINT NOT NULL,
  PRIMARY KEY (office, subject)
);
CREATE INDEX attempts_last ON attempts (office, last_at);
-- Terminals from which a person has signed in before.
CREATE TABLE known_terminals (
  office   TEXT NOT NULL,
  hash     BYTEA NOT NULL,
  staff_id TEXT NOT NULL,
  used_at  BIGINT NOT NULL,
  PRIMARY KEY (office, hash, staff_id),
  FOREIGN KEY (office, staff_id) REFERENCES staff (office, id)
);
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['passwords', 'passkeys', 'cards', 'setup_links', 'challenges', 'sessions', 'attempts', 'known_terminals'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY office ON %I USING (office = current_setting(''akashi.office'', true))', t);
  END LOOP;
END $$;
-- +goose StatementEnd
