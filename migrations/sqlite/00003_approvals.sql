-- +goose Up
ALTER TABLE approvals ADD COLUMN parameters TEXT NOT NULL DEFAULT '{}';
ALTER TABLE approvals ADD COLUMN digest BLOB;
ALTER TABLE approvals ADD COLUMN used_by TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;
-- Look-ups of a person by an account, in the hour of the number slot and in the one before.
CREATE TABLE lookups (
  office TEXT NOT NULL REFERENCES offices (office),
  person TEXT NOT NULL,
  slot   BIGINT NOT NULL,
  counted BIGINT NOT NULL,
  previous BIGINT NOT NULL,
  PRIMARY KEY (office, person)
);
