-- +goose Up
-- How often a certificate of a revocation could not be revoked, and why the last
-- time: one that never can keeps no others waiting.
ALTER TABLE revocation_items ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE revocation_items ADD COLUMN fault TEXT NOT NULL DEFAULT '';
