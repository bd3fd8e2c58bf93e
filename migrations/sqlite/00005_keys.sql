-- +goose Up
CREATE TABLE data_keys (
  office     TEXT NOT NULL REFERENCES offices (office),
  purpose    TEXT NOT NULL,
  version    BIGINT NOT NULL,
  wrapped    BLOB,
  state      TEXT NOT NULL CHECK (state IN ('next', 'active', 'old', 'retired')),
  uses       BIGINT NOT NULL,
  swept      TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  retired_at BIGINT NOT NULL,
  PRIMARY KEY (office, purpose, version)
);
CREATE UNIQUE INDEX data_keys_active ON data_keys (office, purpose) WHERE state = 'active';
CREATE UNIQUE INDEX data_keys_next ON data_keys (office, purpose) WHERE state = 'next';
CREATE TABLE holds (
  office     TEXT NOT NULL REFERENCES offices (office),
  id         TEXT NOT NULL,
  person_id  TEXT NOT NULL,
  reason     TEXT NOT NULL,
  set_by     TEXT NOT NULL,
  set_at     BIGINT NOT NULL,
  ended_by   TEXT NOT NULL,
  ended_at   BIGINT NOT NULL,
  PRIMARY KEY (office, id)
);
CREATE INDEX holds_person ON holds (office, person_id) WHERE ended_at = 0;
