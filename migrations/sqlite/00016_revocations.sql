-- +goose Up
-- Many certificates revoked at once (S-029): what was selected and asked for, and how
-- far it is carried out.
CREATE TABLE revocations (
  office       TEXT NOT NULL REFERENCES offices (office),
  id           TEXT NOT NULL,
  selection    TEXT NOT NULL,
  reason       TEXT NOT NULL,
  counted      BIGINT NOT NULL,
  ids_sha256   TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at BIGINT NOT NULL,
  approval_id  TEXT NOT NULL,
  started_by   TEXT NOT NULL,
  started_at   BIGINT NOT NULL,
  PRIMARY KEY (office, id),
  FOREIGN KEY (office, approval_id) REFERENCES approvals (office, id)
);
CREATE TABLE revocation_items (
  office         TEXT NOT NULL,
  revocation_id  TEXT NOT NULL,
  certificate_id TEXT NOT NULL,
  done_at        BIGINT NOT NULL,
  revoked        BOOLEAN NOT NULL,
  PRIMARY KEY (office, revocation_id, certificate_id),
  FOREIGN KEY (office, revocation_id) REFERENCES revocations (office, id),
  FOREIGN KEY (office, certificate_id) REFERENCES certificates (office, id)
);
CREATE INDEX revocation_items_open ON revocation_items (office, revocation_id) WHERE done_at = 0;
