-- +goose Up
-- A run does one act on many certificates (S-029): it revokes them, or makes them again.
ALTER TABLE revocations RENAME TO bulk_runs;
ALTER TABLE bulk_runs ADD COLUMN act TEXT NOT NULL DEFAULT 'revoke';
ALTER TABLE revocation_items RENAME TO bulk_items;
ALTER TABLE bulk_items RENAME COLUMN revocation_id TO run_id;
ALTER TABLE bulk_items RENAME COLUMN revoked TO changed;
