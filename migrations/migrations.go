// Package migrations holds the schema: plain SQL, forward only, one folder per
// dialect with the same files.
package migrations

import "embed"

//go:embed sqlite/*.sql postgres/*.sql
var Files embed.FS
