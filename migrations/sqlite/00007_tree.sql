-- +goose Up
-- The trees belong to the installation: they hold hashes and row ids of all
-- offices in one order, and nothing that a tenant may not see (S-086).
CREATE TABLE tree_leaves (
  tree     TEXT NOT NULL,
  seq      BIGINT NOT NULL,
  office   TEXT NOT NULL,
  entry_id TEXT NOT NULL,
  leaf     BLOB NOT NULL,
  PRIMARY KEY (tree, seq)
);
CREATE UNIQUE INDEX tree_leaves_entry ON tree_leaves (tree, office, entry_id);
CREATE TABLE tree_tiles (
  tree   TEXT NOT NULL,
  number BIGINT NOT NULL,
  root   BLOB NOT NULL,
  PRIMARY KEY (tree, number)
);
CREATE TABLE tree_checkpoints (
  tree TEXT NOT NULL,
  at   BIGINT NOT NULL,
  size BIGINT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (tree, at)
);
-- Who runs a job of which there is one.
CREATE TABLE leases (
  name   TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  until  BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE TRIGGER tree_leaves_no_update BEFORE UPDATE ON tree_leaves BEGIN SELECT RAISE(ABORT, 'the tree is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER tree_leaves_no_delete BEFORE DELETE ON tree_leaves BEGIN SELECT RAISE(ABORT, 'the tree is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER tree_tiles_no_update BEFORE UPDATE ON tree_tiles BEGIN SELECT RAISE(ABORT, 'the tree is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER tree_tiles_no_delete BEFORE DELETE ON tree_tiles BEGIN SELECT RAISE(ABORT, 'the tree is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER tree_checkpoints_no_update BEFORE UPDATE ON tree_checkpoints BEGIN SELECT RAISE(ABORT, 'the tree is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER tree_checkpoints_no_delete BEFORE DELETE ON tree_checkpoints BEGIN SELECT RAISE(ABORT, 'the tree is append-only'); END;
-- +goose StatementEnd
