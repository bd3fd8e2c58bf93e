-- +goose Up
-- What was kept long enough (S-077): a list that people look at, and approve,
-- before it is erased; and how far that has come.
CREATE TABLE retention_runs (
  office   TEXT NOT NULL REFERENCES offices (office),
  id       TEXT NOT NULL,
  made_at  BIGINT NOT NULL,
  began_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  PRIMARY KEY (office, id)
);
CREATE TABLE retention_items (
  office  TEXT NOT NULL,
  run     TEXT NOT NULL,
  class   TEXT NOT NULL,
  object  TEXT NOT NULL,
  since   BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  PRIMARY KEY (office, run, class, object),
  FOREIGN KEY (office, run) REFERENCES retention_runs (office, id)
);
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['retention_runs', 'retention_items'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY office ON %I USING (office = current_setting(''akashi.office'', true))', t);
  END LOOP;
END $$;
-- +goose StatementEnd
-- An entry of the log may go after a year, by the clock of the database, but not
-- one that says which went; the leaves stay (S-087, R-172).
DROP TRIGGER log_no_change ON log;
CREATE TRIGGER log_no_update BEFORE UPDATE ON log FOR EACH ROW EXECUTE FUNCTION log_is_append_only();
CREATE TRIGGER log_no_delete BEFORE DELETE ON log FOR EACH ROW
  WHEN (OLD.action IN ('log.prune', 'log.admit') OR OLD.at >= to_char(now() AT TIME ZONE 'UTC' - interval '365 days', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
  EXECUTE FUNCTION log_is_append_only();
-- What stands under a person's key, which changes and goes with it.
CREATE INDEX persons_key ON persons (office, person_key);
CREATE INDEX doses_key ON doses (office, person_key);
