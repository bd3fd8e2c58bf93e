-- +goose Up
-- Files that wait to be applied, by age: those that waited too long are erased (R-121).
CREATE INDEX imports_staged ON imports (office, created_at) WHERE state = 'staged';
CREATE INDEX rosters_staged ON rosters (office, created_at) WHERE state = 'staged';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
	('imports', 'imports_staged', '1000 1000 10'),
	('rosters', 'rosters_staged', '1000 1000 10');
ANALYZE sqlite_schema;
