-- +goose Up
-- Who stopped a revocation of many, and when (S-029).
ALTER TABLE revocations ADD COLUMN stopped_by TEXT NOT NULL DEFAULT '';
ALTER TABLE revocations ADD COLUMN stopped_at BIGINT NOT NULL DEFAULT 0;
