-- +goose Up
-- What is published of ended certificates (docs/status-list.md): finished files, so
-- that the public face reads nothing else.
CREATE TABLE published_lists (
  name    TEXT PRIMARY KEY,
  version BIGINT NOT NULL,
  at      BIGINT NOT NULL,
  head    TEXT NOT NULL,
  content BYTEA NOT NULL
);
ALTER TABLE published_lists ALTER COLUMN content SET STORAGE EXTERNAL;
-- What ended since the last look. No issue touches it.
CREATE INDEX certificates_ended ON certificates (office, closed_at) WHERE closed_at > 0;
