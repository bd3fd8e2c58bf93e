// Package migrations holds the schema: plain SQL, forward only, one folder per
// dialect with the same files; and for PostgreSQL the roles and what they may do.
package migrations

import "embed"

//go:embed sqlite/*.sql postgres/*.sql
var Files embed.FS

// Roles makes the roles of PostgreSQL; a superuser runs it once for each cluster.
//
//go:embed roles.sql
var Roles string

// Grants is everything that the roles of PostgreSQL may do (S-002, S-025).
//
//go:embed grants.sql
var Grants string

// RoleNames are the roles that Grants speaks of.
var RoleNames = []string{"akashi_staff", "akashi_public", "akashi_signer", "akashi_jobs"}
