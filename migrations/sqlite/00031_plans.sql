-- +goose Up
-- SQLite plans by what it knows of the tables. Knowing nothing, it takes an office for
-- ten rows and reads all of them in order, rather than a search key and a sort. Here it is
-- told what an index of an office leads to; an index made later has its row to add.
ANALYZE offices; -- makes the table of statistics
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat)
SELECT t.name, i.name, '1000000 ' || group_concat(CASE
	WHEN c.seqno = 0 THEN 1000000
	WHEN c.seqno < (SELECT max(seqno) FROM pragma_index_info(i.name)) THEN 1000
	WHEN i."unique" THEN 1
	ELSE 10 END, ' ' ORDER BY c.seqno)
FROM sqlite_schema t JOIN pragma_index_list(t.name) i JOIN pragma_index_info(i.name) c
WHERE t.type = 'table' AND (SELECT name FROM pragma_index_info(i.name) WHERE seqno = 0) = 'office'
GROUP BY t.name, i.name;
ANALYZE sqlite_schema; -- reads them
