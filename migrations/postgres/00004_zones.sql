-- +goose Up
-- The machines from which the staff face is reached, by client certificate (S-004, R-148).
CREATE TABLE terminals (
  office        TEXT NOT NULL REFERENCES offices (office),
  id            TEXT NOT NULL,
  name          TEXT NOT NULL,
  certificate   BYTEA NOT NULL,
  registered_at BIGINT NOT NULL,
  revoked_at    BIGINT NOT NULL,
  PRIMARY KEY (office, id)
);
CREATE UNIQUE INDEX terminals_certificate ON terminals (office, certificate);
-- The processes that serve this installation (L-02).
CREATE TABLE nodes (
  slot          BIGINT PRIMARY KEY,
  faces         TEXT NOT NULL,
  build         TEXT NOT NULL,
  configuration TEXT NOT NULL,
  started_at    BIGINT NOT NULL
);
ALTER TABLE terminals ENABLE ROW LEVEL SECURITY;
ALTER TABLE terminals FORCE ROW LEVEL SECURITY;
CREATE POLICY office ON terminals USING (office = current_setting('akashi.office', true));
-- Everybody may list the offices; only an office's own transaction changes its row.
ALTER TABLE offices ENABLE ROW LEVEL SECURITY;
ALTER TABLE offices FORCE ROW LEVEL SECURITY;
CREATE POLICY office ON offices USING (office = current_setting('akashi.office', true));
CREATE POLICY listing ON offices FOR SELECT USING (true);
-- What is not granted in grants.sql is nobody's, functions included.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
