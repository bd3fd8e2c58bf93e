-- +goose Up
-- Certificates of many applications in one file, to be sent by mail: what was asked for,
-- one by one, and how far it is. Nothing in them tells of a person but by internal ids.
CREATE TABLE mailings (
  office       TEXT NOT NULL REFERENCES offices (office),
  id           TEXT NOT NULL,
  counted      BIGINT NOT NULL,
  ids_sha256   TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at BIGINT NOT NULL,
  approval_id  TEXT NOT NULL,
  started_by   TEXT NOT NULL,
  started_at   BIGINT NOT NULL,
  stopped_by   TEXT NOT NULL,
  stopped_at   BIGINT NOT NULL,
  PRIMARY KEY (office, id)
);
CREATE TABLE mailing_items (
  office         TEXT NOT NULL,
  mailing_id     TEXT NOT NULL,
  number         BIGINT NOT NULL,
  application_id TEXT NOT NULL,
  certificate_id TEXT NOT NULL,
  copy           BIGINT NOT NULL,
  done_at        BIGINT NOT NULL,
  tries          BIGINT NOT NULL,
  fault          TEXT NOT NULL,
  PRIMARY KEY (office, mailing_id, number),
  FOREIGN KEY (office, mailing_id) REFERENCES mailings (office, id)
);
CREATE INDEX mailing_items_open ON mailing_items (office, application_id) WHERE done_at = 0;
-- Files of applications: each row is sealed until the file is closed, and the key of the
-- file is erased with it (R-121).
CREATE TABLE batches (
  office      TEXT NOT NULL REFERENCES offices (office),
  id          TEXT NOT NULL,
  sha256      TEXT NOT NULL,
  encoding    TEXT NOT NULL,
  notice      TEXT NOT NULL,
  header      TEXT NOT NULL,
  person_key  TEXT NOT NULL,
  counted     BIGINT NOT NULL,
  accepted    BIGINT NOT NULL,
  created_by  TEXT NOT NULL,
  created_at  BIGINT NOT NULL,
  approval_id TEXT NOT NULL,
  started_by  TEXT NOT NULL,
  started_at  BIGINT NOT NULL,
  closed_at   BIGINT NOT NULL,
  PRIMARY KEY (office, id)
);
CREATE INDEX batches_file ON batches (office, sha256);
CREATE TABLE batch_rows (
  office         TEXT NOT NULL,
  batch_id       TEXT NOT NULL,
  line           BIGINT NOT NULL,
  data           BLOB NOT NULL,
  findings       TEXT NOT NULL,
  accepted       BOOLEAN NOT NULL,
  application_id TEXT NOT NULL,
  done_at        BIGINT NOT NULL,
  tries          BIGINT NOT NULL,
  fault          TEXT NOT NULL,
  PRIMARY KEY (office, batch_id, line),
  FOREIGN KEY (office, batch_id) REFERENCES batches (office, id)
);
CREATE INDEX batch_rows_open ON batch_rows (office, batch_id) WHERE accepted AND done_at = 0;
