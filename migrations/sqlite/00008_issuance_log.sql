-- +goose Up
-- SHA-256 of everything that was signed and released: random to whoever does not
-- have the card (docs/issuance-log.md).
CREATE TABLE issuance_log (
  office TEXT NOT NULL REFERENCES offices (office),
  id     TEXT NOT NULL,
  at     BIGINT NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (office, id)
);
-- Where keys have signed before there was a log, it says since when it is whole.
INSERT INTO installation (name, value)
  SELECT 'issuance_log_since', CAST(strftime('%s', 'now') || '000' AS BLOB) WHERE EXISTS (SELECT 1 FROM signing_keys);
-- +goose StatementBegin
CREATE TRIGGER issuance_log_no_update BEFORE UPDATE ON issuance_log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER issuance_log_no_delete BEFORE DELETE ON issuance_log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- +goose StatementEnd
