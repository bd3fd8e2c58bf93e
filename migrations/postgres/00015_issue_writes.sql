-- +goose Up
-- Sealed bytes do not compress.
ALTER TABLE certificates ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE payloads ALTER COLUMN to_sign SET STORAGE EXTERNAL, ALTER COLUMN code_text SET STORAGE EXTERNAL;
-- Open intents are few: certificates_prepared finds them.
DROP INDEX certificates_open;
-- For these keys each issue locked the row of its office, which all issues share. A
-- certificate's office follows from its application's; a digest is logged together
-- with its certificate; and no role may delete an office.
ALTER TABLE certificates DROP CONSTRAINT certificates_office_fkey;
ALTER TABLE issuance_log DROP CONSTRAINT issuance_log_office_fkey;
