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
