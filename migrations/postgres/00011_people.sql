-- +goose Up
-- When the member of staff has last read that work is recorded, and which text (R-168).
ALTER TABLE staff ADD COLUMN reminder TEXT NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN reminded_at BIGINT NOT NULL DEFAULT 0;
-- Rows of persons whose cases are one's own: oneself and one's household (S-029).
ALTER TABLE staff ADD COLUMN kin TEXT NOT NULL DEFAULT '[]';
