-- +goose Up
-- Who of the office has seen to an alert, and when (S-089).
ALTER TABLE alerts ADD COLUMN acknowledged_by TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN acknowledged_at BIGINT NOT NULL DEFAULT 0;
