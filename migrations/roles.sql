-- The database roles of Akashi (S-025). A superuser runs this once for each
-- cluster; the passwords, or the certificates of pg_hba.conf, are the operator's.
-- Then, for each installation:
--   CREATE DATABASE akashi OWNER akashi_owner;
--   REVOKE ALL ON DATABASE akashi FROM PUBLIC;
--   GRANT CONNECT ON DATABASE akashi TO akashi_staff, akashi_public, akashi_signer, akashi_jobs;
-- What each may do in it stands in grants.sql and is applied with the migrations.
CREATE ROLE akashi_owner  LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
CREATE ROLE akashi_staff  LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
CREATE ROLE akashi_public LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
CREATE ROLE akashi_signer LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
CREATE ROLE akashi_jobs   LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
