-- +goose Up
CREATE TABLE terminals (
  office        TEXT NOT NULL REFERENCES offices (office),
  id            TEXT NOT NULL,
  name          TEXT NOT NULL,
  certificate   BLOB NOT NULL,
  registered_at BIGINT NOT NULL,
  revoked_at    BIGINT NOT NULL,
  PRIMARY KEY (office, id)
);
CREATE UNIQUE INDEX terminals_certificate ON terminals (office, certificate);
CREATE TABLE nodes (
  slot          BIGINT PRIMARY KEY,
  faces         TEXT NOT NULL,
  build         TEXT NOT NULL,
  configuration TEXT NOT NULL,
  started_at    BIGINT NOT NULL
);
