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
-- An entry of the log may go after a year, by the clock of the machine, but not
-- one that says which went; the leaves stay (S-087, R-172).
DROP TRIGGER log_no_delete;
-- +goose StatementBegin
CREATE TRIGGER log_no_delete BEFORE DELETE ON log
  WHEN OLD.action IN ('log.prune', 'log.admit') OR OLD.at >= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-365 days')
  BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- +goose StatementEnd
-- What stands under a person's key, which changes and goes with it.
CREATE INDEX persons_key ON persons (office, person_key);
CREATE INDEX doses_key ON doses (office, person_key);
