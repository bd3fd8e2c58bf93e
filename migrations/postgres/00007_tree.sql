-- +goose Up
-- The trees belong to the installation: they hold hashes and row ids of all
-- offices in one order, and nothing that a tenant may not see (S-086).
CREATE TABLE tree_leaves (
  tree     TEXT NOT NULL,
  seq      BIGINT NOT NULL,
  office   TEXT NOT NULL,
  entry_id TEXT NOT NULL,
  leaf     BYTEA NOT NULL,
  PRIMARY KEY (tree, seq)
);
CREATE UNIQUE INDEX tree_leaves_entry ON tree_leaves (tree, office, entry_id);
CREATE TABLE tree_tiles (
  tree   TEXT NOT NULL,
  number BIGINT NOT NULL,
  root   BYTEA NOT NULL,
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
CREATE FUNCTION tree_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the tree is append-only'; END $$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['tree_leaves', 'tree_tiles', 'tree_checkpoints'] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION tree_is_append_only()', t || '_no_change', t);
    EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION tree_is_append_only()', t || '_no_truncate', t);
  END LOOP;
  -- The sequencer reads the entries of all offices; no office has this code.
  CREATE POLICY whole ON log FOR SELECT USING (current_setting('akashi.office', true) = '000000');
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'akashi_staff') THEN
    GRANT SELECT, INSERT ON tree_leaves, tree_tiles, tree_checkpoints TO akashi_staff;
    GRANT SELECT, INSERT, UPDATE ON leases TO akashi_staff;
  END IF;
END $$;
-- +goose StatementEnd
