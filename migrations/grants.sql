-- Who may do what with which table: all that the roles of roles.sql hold, and
-- nothing else. Applied after the migrations; what is not here is taken away.
-- A new table has its lines here, or nobody reaches it; a new tenant table also
-- has row-level security in its own migration. A review of this file is a
-- review of S-002 and S-025.

-- Every process looks at the schema's version before it works.
GRANT SELECT ON goose_db_version TO akashi_staff, akashi_public, akashi_signer, akashi_jobs;

-- staff: the counter and the officers
GRANT SELECT, INSERT, UPDATE ON installation TO akashi_staff;
GRANT SELECT, INSERT, UPDATE ON nodes TO akashi_staff;
GRANT SELECT, INSERT, UPDATE ON signing_keys TO akashi_staff;
GRANT SELECT, INSERT, UPDATE ON offices, terminals TO akashi_staff;
GRANT SELECT, INSERT, UPDATE ON staff TO akashi_staff;
GRANT SELECT, INSERT ON staff_history TO akashi_staff;
GRANT SELECT, INSERT, UPDATE, DELETE ON passwords, passkeys, cards, setup_links, challenges, sessions, attempts, known_terminals TO akashi_staff;
GRANT SELECT, INSERT ON log TO akashi_staff;
GRANT SELECT, INSERT, DELETE ON once TO akashi_staff;
GRANT SELECT, INSERT, UPDATE ON approvals, account_requests, rosters, lookups TO akashi_staff;
GRANT SELECT, INSERT, UPDATE ON person_keys, data_keys TO akashi_staff;
GRANT SELECT, INSERT, UPDATE ON imports, persons, doses TO akashi_staff;
GRANT SELECT, INSERT, UPDATE ON applications, certificates, payloads, counters TO akashi_staff;
GRANT SELECT, INSERT ON certificate_doses, copies TO akashi_staff;
GRANT SELECT, INSERT, UPDATE ON bulk_runs, bulk_items, mailings, mailing_items, batches, batch_rows TO akashi_staff;

-- proof of the log, by whichever process keeps it
GRANT SELECT, INSERT ON issuance_log, tree_leaves, tree_tiles, tree_checkpoints TO akashi_staff, akashi_jobs;
GRANT SELECT, INSERT, UPDATE ON leases TO akashi_staff, akashi_jobs;
-- lists of ended certificates, by whichever process makes them
GRANT SELECT, INSERT, UPDATE ON published_lists TO akashi_staff, akashi_jobs;
-- alerts, by whichever process judges the log
GRANT SELECT, INSERT, UPDATE ON alerts TO akashi_staff, akashi_jobs;
GRANT SELECT, INSERT, UPDATE, DELETE ON vault, vault_keys TO akashi_staff;
GRANT SELECT, INSERT ON vault_accesses TO akashi_staff;
GRANT SELECT, INSERT, UPDATE ON holds TO akashi_staff;
-- what erasing a person takes (S-076), with the approval of two people
GRANT DELETE ON person_keys, persons, doses, certificate_doses, applications TO akashi_staff;
GRANT SELECT, INSERT, UPDATE ON retention_runs, retention_items TO akashi_staff, akashi_jobs;

-- public: strangers; the published half of the signing keys
GRANT SELECT (id, purpose, issuer, algorithm, public_key, certificate, state, not_before, not_after, usage_from, usage_to, test, created_at)
  ON signing_keys TO akashi_public;
-- and the issuance log, which is published whole
GRANT SELECT (office, id, digest) ON issuance_log TO akashi_public;
GRANT SELECT ON tree_leaves, tree_checkpoints TO akashi_public;
-- and the finished lists of ended certificates
GRANT SELECT ON published_lists TO akashi_public;

-- signer: the bytes of an intent, by its id, and the key of the person that sealed them
GRANT SELECT (office, certificate_id, number, family, key_id, to_sign) ON payloads TO akashi_signer;
GRANT SELECT (office, id, state, person_key) ON certificates TO akashi_signer;
GRANT SELECT (office, id, wrapped) ON person_keys TO akashi_signer;
GRANT SELECT ON data_keys TO akashi_signer;

-- jobs: recovery of intents, change of data keys, proof of the log, and what was
-- kept long enough (S-077); entries of the log go by this role alone, and not within a year
GRANT SELECT, UPDATE ON installation TO akashi_jobs;
GRANT SELECT, INSERT, UPDATE ON nodes TO akashi_jobs;
GRANT SELECT ON offices, signing_keys, certificate_doses TO akashi_jobs;
GRANT SELECT, UPDATE ON applications, certificates, payloads TO akashi_jobs;
-- what two people let be done with many certificates: revoked, or made again, which
-- makes new ones with numbers of their day
GRANT SELECT ON bulk_runs TO akashi_jobs;
GRANT SELECT, UPDATE ON bulk_items TO akashi_jobs;
GRANT INSERT ON certificates, payloads, certificate_doses TO akashi_jobs;
-- mailings, whose copies it numbers
GRANT SELECT ON mailings TO akashi_jobs;
GRANT SELECT, UPDATE ON mailing_items TO akashi_jobs;
GRANT SELECT, INSERT ON copies TO akashi_jobs;
-- files of applications, which it makes of their rows
GRANT SELECT, UPDATE ON batches, batch_rows TO akashi_jobs;
GRANT INSERT ON applications, person_keys TO akashi_jobs;
GRANT SELECT, INSERT, UPDATE ON counters TO akashi_jobs;
GRANT SELECT, UPDATE ON person_keys, imports, persons, doses, passkeys, sessions TO akashi_jobs;
GRANT SELECT, INSERT, UPDATE ON data_keys TO akashi_jobs;
GRANT SELECT, UPDATE ON vault, vault_keys TO akashi_jobs;
GRANT DELETE ON person_keys, persons, doses, certificate_doses, applications, vault, vault_keys, alerts TO akashi_jobs;
GRANT SELECT ON holds TO akashi_jobs;
GRANT SELECT, INSERT, DELETE ON log TO akashi_jobs;
-- and the comparison with rosters
GRANT SELECT, UPDATE ON staff TO akashi_jobs;
GRANT SELECT, INSERT, UPDATE ON rosters TO akashi_jobs;
GRANT SELECT, INSERT, UPDATE ON approvals TO akashi_jobs;
GRANT INSERT ON staff_history TO akashi_jobs;

-- What is proven, published or judged for all offices is read whole, as office
-- 000000, by who does that and by the owner, who proves it; the policies stand in
-- the migrations, where there are no roles yet.
ALTER POLICY whole ON log TO akashi_staff, akashi_jobs, CURRENT_USER;
ALTER POLICY whole ON alerts TO akashi_staff, akashi_jobs, CURRENT_USER;
ALTER POLICY whole ON issuance_log TO akashi_staff, akashi_jobs, akashi_public, CURRENT_USER;
