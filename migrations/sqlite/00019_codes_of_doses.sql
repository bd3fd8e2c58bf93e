-- +goose Up
-- A code may show one dose of its certificate, and may have to be made anew at a time.
ALTER TABLE payloads ADD COLUMN dose INTEGER NOT NULL DEFAULT 0; -- number of the dose; 0: all
ALTER TABLE certificates ADD COLUMN renew_by BIGINT NOT NULL DEFAULT 0; -- when the first of its codes expires; 0: none does
CREATE INDEX certificates_renew ON certificates (office, renew_by) WHERE renew_by > 0 AND state = 'issued';
