-- +goose Up
CREATE TABLE installation (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
);
CREATE TABLE offices (
  office     TEXT PRIMARY KEY CHECK (length(office) = 6),
  name_ja    TEXT NOT NULL,
  name_en    TEXT NOT NULL,
  issuer     TEXT NOT NULL,
  settings   TEXT NOT NULL,
  version    BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE TABLE staff (
  office     TEXT NOT NULL REFERENCES offices (office),
  id         TEXT NOT NULL,
  name       TEXT NOT NULL,
  role       TEXT NOT NULL,
  ends_at    BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (office, id)
);
CREATE TABLE staff_keys (
  office     TEXT NOT NULL,
  hash       BLOB NOT NULL,
  staff_id   TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  ends_at    BIGINT NOT NULL,
  PRIMARY KEY (office, hash),
  FOREIGN KEY (office, staff_id) REFERENCES staff (office, id)
);
CREATE TABLE signing_keys (
  id          TEXT PRIMARY KEY,
  purpose     TEXT NOT NULL,
  issuer      TEXT NOT NULL,
  algorithm   TEXT NOT NULL,
  public_key  BLOB NOT NULL,
  certificate BLOB,
  state       TEXT NOT NULL,
  not_before  BIGINT NOT NULL,
  not_after   BIGINT NOT NULL,
  usage_from  BIGINT NOT NULL,
  usage_to    BIGINT NOT NULL,
  test        BOOLEAN NOT NULL,
  handle      TEXT NOT NULL,
  created_at  BIGINT NOT NULL
);
CREATE TABLE log (
  office    TEXT NOT NULL,
  id        TEXT NOT NULL,
  at        TEXT NOT NULL,
  person    TEXT NOT NULL,
  terminal  TEXT NOT NULL,
  purpose   TEXT NOT NULL,
  case_id   TEXT NOT NULL,
  action    TEXT NOT NULL,
  object    TEXT NOT NULL,
  concerned TEXT NOT NULL,
  result    TEXT NOT NULL,
  request   TEXT NOT NULL,
  canonical BLOB NOT NULL,
  PRIMARY KEY (office, id)
);
CREATE INDEX log_object ON log (office, object);
CREATE TABLE once (
  office     TEXT NOT NULL,
  route      TEXT NOT NULL,
  key_hash   BLOB NOT NULL,
  body_hash  BLOB NOT NULL,
  object     TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (office, route, key_hash)
);
CREATE TABLE approvals (
  office       TEXT NOT NULL REFERENCES offices (office),
  id           TEXT NOT NULL,
  kind         TEXT NOT NULL,
  object       TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL,
  decided_by   TEXT NOT NULL,
  decided_at   BIGINT NOT NULL,
  outcome      TEXT NOT NULL,
  reason       TEXT NOT NULL,
  PRIMARY KEY (office, id)
);
CREATE INDEX approvals_object ON approvals (office, object);
CREATE TABLE person_keys (
  office     TEXT NOT NULL REFERENCES offices (office),
  id         TEXT NOT NULL,
  ticket_ix  BLOB,
  wrapped    BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (office, id)
);
CREATE UNIQUE INDEX person_keys_ticket ON person_keys (office, ticket_ix) WHERE ticket_ix IS NOT NULL;
CREATE TABLE imports (
  office       TEXT NOT NULL REFERENCES offices (office),
  id           TEXT NOT NULL,
  layout       TEXT NOT NULL,
  state        TEXT NOT NULL,
  file_sha256  TEXT NOT NULL,
  report       TEXT NOT NULL,
  staged       BLOB,
  created_by   TEXT NOT NULL,
  created_at   BIGINT NOT NULL,
  committed_by TEXT NOT NULL,
  committed_at BIGINT NOT NULL,
  withdrawn_by TEXT NOT NULL,
  withdrawn_at BIGINT NOT NULL,
  outcome      TEXT NOT NULL,
  PRIMARY KEY (office, id)
);
CREATE TABLE persons (
  office        TEXT NOT NULL REFERENCES offices (office),
  id            TEXT NOT NULL,
  version       BIGINT NOT NULL,
  is_current    BOOLEAN NOT NULL,
  person_key    TEXT NOT NULL,
  import_id     TEXT NOT NULL,
  confirmed_by  TEXT NOT NULL,
  ticket_ix     BLOB NOT NULL,
  address_ix    BLOB,
  exact_ix      BLOB NOT NULL,
  loose_ix      BLOB NOT NULL,
  kana_ix       BLOB,
  content_ix    BLOB NOT NULL,
  data          BLOB NOT NULL,
  created_at    BIGINT NOT NULL,
  PRIMARY KEY (office, id, version),
  FOREIGN KEY (office, person_key) REFERENCES person_keys (office, id),
  FOREIGN KEY (office, import_id) REFERENCES imports (office, id)
);
CREATE UNIQUE INDEX persons_ticket ON persons (office, ticket_ix) WHERE is_current;
CREATE INDEX persons_address ON persons (office, address_ix) WHERE is_current;
CREATE INDEX persons_exact ON persons (office, exact_ix) WHERE is_current;
CREATE INDEX persons_loose ON persons (office, loose_ix) WHERE is_current;
CREATE INDEX persons_kana ON persons (office, kana_ix) WHERE is_current;
CREATE INDEX persons_import ON persons (office, import_id);
CREATE INDEX persons_confirmed ON persons (office, confirmed_by);
CREATE TABLE doses (
  office      TEXT NOT NULL REFERENCES offices (office),
  id          TEXT NOT NULL,
  version     BIGINT NOT NULL,
  is_current  BOOLEAN NOT NULL,
  programme   TEXT NOT NULL,
  person_key  TEXT NOT NULL,
  import_id   TEXT NOT NULL,
  confirmed_by TEXT NOT NULL,
  ticket_ix   BLOB NOT NULL,
  dose_number BIGINT NOT NULL,
  content_ix  BLOB NOT NULL,
  data        BLOB NOT NULL,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (office, id, version),
  FOREIGN KEY (office, person_key) REFERENCES person_keys (office, id),
  FOREIGN KEY (office, import_id) REFERENCES imports (office, id)
);
CREATE UNIQUE INDEX doses_current ON doses (office, ticket_ix, programme, dose_number) WHERE is_current;
CREATE INDEX doses_import ON doses (office, import_id);
CREATE INDEX doses_confirmed ON doses (office, confirmed_by);
CREATE TABLE applications (
  office         TEXT NOT NULL REFERENCES offices (office),
  id             TEXT NOT NULL,
  version        BIGINT NOT NULL,
  state          TEXT NOT NULL,
  kind           TEXT NOT NULL,
  programme      TEXT NOT NULL,
  channel        TEXT NOT NULL,
  person_key     TEXT NOT NULL,
  person_id      TEXT NOT NULL,
  reasons        TEXT NOT NULL,
  data           BLOB NOT NULL,
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL,
  PRIMARY KEY (office, id),
  FOREIGN KEY (office, person_key) REFERENCES person_keys (office, id)
);
CREATE INDEX applications_state ON applications (office, state, id);
CREATE TABLE certificates (
  office         TEXT NOT NULL REFERENCES offices (office),
  id             TEXT NOT NULL,
  application_id TEXT NOT NULL,
  kind           TEXT NOT NULL,
  programme      TEXT NOT NULL,
  state          TEXT NOT NULL,
  person_key     TEXT NOT NULL,
  ai             TEXT NOT NULL,
  issued_at      BIGINT NOT NULL,
  issued_on      TEXT NOT NULL,
  layout         TEXT NOT NULL,
  catalogue      TEXT NOT NULL,
  supersedes     TEXT NOT NULL,
  superseded_by  TEXT NOT NULL,
  content        BLOB NOT NULL,
  prepared_at    BIGINT NOT NULL,
  claimed_at     BIGINT NOT NULL,
  closed_at      BIGINT NOT NULL,
  reason         TEXT NOT NULL,
  copies         BIGINT NOT NULL,
  PRIMARY KEY (office, id),
  FOREIGN KEY (office, application_id) REFERENCES applications (office, id),
  FOREIGN KEY (office, person_key) REFERENCES person_keys (office, id)
);
CREATE UNIQUE INDEX certificates_ai ON certificates (office, ai);
CREATE UNIQUE INDEX certificates_live ON certificates (office, application_id, kind) WHERE state = 'issued';
CREATE UNIQUE INDEX certificates_prepared ON certificates (office, application_id, kind) WHERE state = 'prepared';
CREATE INDEX certificates_application ON certificates (office, application_id);
CREATE INDEX certificates_open ON certificates (office, prepared_at) WHERE state = 'prepared';
CREATE TABLE certificate_doses (
  office         TEXT NOT NULL,
  certificate_id TEXT NOT NULL,
  dose_id        TEXT NOT NULL,
  dose_version   BIGINT NOT NULL,
  PRIMARY KEY (office, certificate_id, dose_id),
  FOREIGN KEY (office, certificate_id) REFERENCES certificates (office, id),
  FOREIGN KEY (office, dose_id, dose_version) REFERENCES doses (office, id, version)
);
CREATE INDEX certificate_doses_dose ON certificate_doses (office, dose_id, dose_version);
CREATE TABLE payloads (
  office         TEXT NOT NULL,
  certificate_id TEXT NOT NULL,
  number         BIGINT NOT NULL,
  family         TEXT NOT NULL,
  key_id         TEXT NOT NULL,
  status_id      TEXT NOT NULL,
  to_sign        BLOB NOT NULL,
  code_text      BLOB,
  PRIMARY KEY (office, certificate_id, number),
  FOREIGN KEY (office, certificate_id) REFERENCES certificates (office, id),
  FOREIGN KEY (key_id) REFERENCES signing_keys (id)
);
CREATE TABLE copies (
  office         TEXT NOT NULL,
  certificate_id TEXT NOT NULL,
  number         BIGINT NOT NULL,
  layout         TEXT NOT NULL,
  file           TEXT NOT NULL,
  pdf_sha256     TEXT NOT NULL,
  key_id         TEXT NOT NULL,
  signed_at      BIGINT NOT NULL,
  signature      BLOB,
  made_by        TEXT NOT NULL,
  made_at        BIGINT NOT NULL,
  PRIMARY KEY (office, certificate_id, number),
  FOREIGN KEY (office, certificate_id) REFERENCES certificates (office, id)
);
CREATE TABLE counters (
  office TEXT NOT NULL REFERENCES offices (office),
  name   TEXT NOT NULL,
  value  BIGINT NOT NULL,
  PRIMARY KEY (office, name)
);
-- +goose StatementBegin
CREATE TRIGGER log_no_update BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER log_no_delete BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- +goose StatementEnd
