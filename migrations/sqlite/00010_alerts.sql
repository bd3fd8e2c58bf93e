-- +goose Up
-- What people must look at (S-089): one row for an episode, of an office or, with
-- office 000000, of the installation. It holds internal keys, codes and counts.
CREATE TABLE alerts (
  office       TEXT NOT NULL,
  id           TEXT NOT NULL,
  kind         TEXT NOT NULL,
  subject      TEXT NOT NULL,
  first_mark   BIGINT NOT NULL,
  last_mark    BIGINT NOT NULL,
  first_at     BIGINT NOT NULL,
  last_at      BIGINT NOT NULL,
  counted      BIGINT NOT NULL,
  facts        TEXT NOT NULL,
  delivered_at BIGINT NOT NULL,
  PRIMARY KEY (office, id)
);
CREATE UNIQUE INDEX alerts_subject ON alerts (office, kind, subject, first_mark);
CREATE INDEX alerts_undelivered ON alerts (first_at) WHERE delivered_at = 0;
-- The log is read by who acted, by whose data, and by what was done (S-088).
CREATE INDEX log_person ON log (office, person, id);
CREATE INDEX log_concerned ON log (office, concerned, id) WHERE concerned <> '';
CREATE INDEX log_action ON log (office, action, id);
-- The place in the tree of the log from which on entries are judged.
INSERT INTO installation (name, value)
  SELECT 'watched', CAST(COALESCE(MAX(seq) + 1, 0) AS BLOB) FROM tree_leaves WHERE tree = 'log';
