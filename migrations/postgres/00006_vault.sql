-- +goose Up
CREATE TABLE vault_keys (
  office     TEXT NOT NULL REFERENCES offices (office),
  id         TEXT NOT NULL,
  wrapped    BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (office, id)
);
CREATE TABLE vault (
  office     TEXT NOT NULL,
  id         TEXT NOT NULL,
  number_ix  BYTEA NOT NULL,
  number     BYTEA NOT NULL,
  import_id  TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (office, id),
  FOREIGN KEY (office, id) REFERENCES vault_keys (office, id)
);
CREATE UNIQUE INDEX vault_number ON vault (office, number_ix);
CREATE INDEX vault_import ON vault (office, import_id);
CREATE TABLE vault_accesses (
  office     TEXT NOT NULL REFERENCES offices (office),
  id         TEXT NOT NULL,
  at         BIGINT NOT NULL,
  person     TEXT NOT NULL CHECK (person <> ''),
  purpose    TEXT NOT NULL CHECK (purpose IN ('move_in_inquiry', 'move_out_provision', 'certificate_application')),
  case_id    TEXT NOT NULL CHECK (case_id <> ''),
  concerned  TEXT NOT NULL,
  PRIMARY KEY (office, id)
);
CREATE INDEX vault_accesses_concerned ON vault_accesses (office, concerned);
CREATE TABLE holds (
  office     TEXT NOT NULL REFERENCES offices (office),
  id         TEXT NOT NULL,
  person_id  TEXT NOT NULL,
  reason     TEXT NOT NULL,
  set_by     TEXT NOT NULL,
  set_at     BIGINT NOT NULL,
  ended_by   TEXT NOT NULL,
  ended_at   BIGINT NOT NULL,
  PRIMARY KEY (office, id)
);
CREATE INDEX holds_person ON holds (office, person_id) WHERE ended_at = 0;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['vault_keys', 'vault', 'vault_accesses', 'holds'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY office ON %I USING (office = current_setting(''akashi.office'', true))', t);
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'akashi_staff') THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON vault_keys, vault TO akashi_staff;
    GRANT SELECT, INSERT ON vault_accesses TO akashi_staff;
    GRANT SELECT, INSERT, UPDATE ON holds TO akashi_staff;
  END IF;
END $$;
-- +goose StatementEnd
