-- +goose Up
CREATE TABLE account_requests (
  office       TEXT NOT NULL REFERENCES offices (office),
  id           TEXT NOT NULL,
  kind         TEXT NOT NULL,
  staff_id     TEXT NOT NULL,
  user_id      TEXT NOT NULL,
  name         TEXT NOT NULL,
  unit         TEXT NOT NULL,
  role         TEXT NOT NULL,
  was          TEXT NOT NULL,
  ends_on      TEXT NOT NULL,
  trained_on   TEXT NOT NULL,
  section_head TEXT NOT NULL,
  system_owner TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at BIGINT NOT NULL,
  approval_id  TEXT NOT NULL,
  done_by      TEXT NOT NULL,
  done_at      BIGINT NOT NULL,
  PRIMARY KEY (office, id),
  FOREIGN KEY (office, approval_id) REFERENCES approvals (office, id)
);
CREATE TABLE rosters (
  office       TEXT NOT NULL REFERENCES offices (office),
  id           TEXT NOT NULL,
  state        TEXT NOT NULL,
  file_sha256  TEXT NOT NULL,
  result       TEXT NOT NULL,
  staged       BLOB,
  created_by   TEXT NOT NULL,
  created_at   BIGINT NOT NULL,
  committed_by TEXT NOT NULL,
  committed_at BIGINT NOT NULL,
  PRIMARY KEY (office, id)
);
-- What an account could do, from when on: who had what at any date (R-161).
CREATE TABLE staff_history (
  office   TEXT NOT NULL,
  staff_id TEXT NOT NULL,
  epoch    BIGINT NOT NULL,
  at       BIGINT NOT NULL,
  unit     TEXT NOT NULL,
  role     TEXT NOT NULL,
  state    TEXT NOT NULL,
  ends_at  BIGINT NOT NULL,
  PRIMARY KEY (office, staff_id, epoch),
  FOREIGN KEY (office, staff_id) REFERENCES staff (office, id)
);
INSERT INTO staff_history SELECT office, id, epoch, created_at, unit, role, state, ends_at FROM staff;
