-- +goose Up
-- Why a certificate was made again: a code; empty for one that follows none, and for
-- those of before, whose reason stands in the log.
ALTER TABLE certificates ADD COLUMN cause TEXT NOT NULL DEFAULT '';
-- Certificates whose record was corrected are found from the versions that count no more.
CREATE INDEX doses_replaced ON doses (office, id, version) WHERE NOT is_current;
-- All certificates of a person are found from the applications that rest on that record.
CREATE INDEX applications_person ON applications (office, person_id) WHERE person_id <> '';
