-- +goose Up
-- SHA-256 of everything that was signed and released: random to whoever does not
-- have the card (docs/issuance-log.md).
CREATE TABLE issuance_log (
  office TEXT NOT NULL REFERENCES offices (office),
  id     TEXT NOT NULL,
  at     BIGINT NOT NULL,
  digest BYTEA NOT NULL,
  PRIMARY KEY (office, id)
);
-- Where keys have signed before there was a log, it says since when it is whole.
INSERT INTO installation (name, value)
  SELECT 'issuance_log_since', convert_to((extract(epoch FROM now()) * 1000)::bigint::text, 'UTF8') WHERE EXISTS (SELECT FROM signing_keys);
CREATE TRIGGER issuance_log_no_change BEFORE UPDATE OR DELETE ON issuance_log FOR EACH ROW EXECUTE FUNCTION log_is_append_only();
CREATE TRIGGER issuance_log_no_truncate BEFORE TRUNCATE ON issuance_log FOR EACH STATEMENT EXECUTE FUNCTION log_is_append_only();
ALTER TABLE issuance_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE issuance_log FORCE ROW LEVEL SECURITY;
CREATE POLICY office ON issuance_log USING (office = current_setting('akashi.office', true));
CREATE POLICY whole ON issuance_log FOR SELECT USING (current_setting('akashi.office', true) = '000000');
