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
  SELECT 'watched', convert_to(COALESCE(MAX(seq) + 1, 0)::text, 'UTF8') FROM tree_leaves WHERE tree = 'log';
ALTER TABLE alerts ENABLE ROW LEVEL SECURITY;
ALTER TABLE alerts FORCE ROW LEVEL SECURITY;
CREATE POLICY office ON alerts USING (office = current_setting('akashi.office', true));
CREATE POLICY whole ON alerts FOR SELECT USING (current_setting('akashi.office', true) = '000000');
