-- +goose Up
-- Files that wait to be applied, by age: those that waited too long are erased (R-121).
CREATE INDEX imports_staged ON imports (office, created_at) WHERE state = 'staged';
CREATE INDEX rosters_staged ON rosters (office, created_at) WHERE state = 'staged';
