-- +goose Up
ALTER TABLE approvals ADD COLUMN parameters TEXT NOT NULL DEFAULT '{}';
ALTER TABLE approvals ADD COLUMN digest BYTEA;
ALTER TABLE approvals ADD COLUMN used_by TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;
-- Look-ups of a person by an account, in the hour of the number slot and in the one before.
CREATE TABLE lookups (
  office TEXT NOT NULL REFERENCES offices (office),
  person TEXT NOT NULL,
  slot   BIGINT NOT NULL,
  counted BIGINT NOT NULL,
  previous BIGINT NOT NULL,
  PRIMARY KEY (office, person)
);
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['lookups'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY office ON %I USING (office = current_setting(''akashi.office'', true))', t);
  END LOOP;
END $$;
-- +goose StatementEnd
