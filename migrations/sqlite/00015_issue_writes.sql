-- +goose Up
-- Open intents are few: certificates_prepared finds them.
DROP INDEX certificates_open;
