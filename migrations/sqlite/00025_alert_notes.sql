-- +goose Up
-- What was found out about an alert, in words (S-089).
ALTER TABLE alerts ADD COLUMN note TEXT NOT NULL DEFAULT '';
