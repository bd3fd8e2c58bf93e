// Package testkit holds what tests of several packages need: the shared vectors,
// a throw-away PostgreSQL and outside tools. With CI=true a missing one fails the
// test instead of skipping it.
package testkit

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Root returns the folder of go.mod.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
}

// Shared returns the path of a file or folder of the shared test vectors, which
// lie beside the checkout.
func Shared(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(Root(t), "..", "shared", "testdata", filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		Missing(t, "test vectors "+name)
	}
	return path
}

// Read returns the content of a shared test vector.
func Read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(Shared(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Example reads one row of the shared examples out of RFCs and ICAO Doc 9303.
func Example(t testing.TB, id string, into any) {
	t.Helper()
	var rows []json.RawMessage
	if err := json.Unmarshal(Read(t, "security/rfc/examples.json"), &rows); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		var head struct{ ID string }
		if json.Unmarshal(row, &head) == nil && head.ID == id {
			if err := json.Unmarshal(row, into); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("no example %s", id)
}

// Missing skips the test for want of something; with CI=true it fails.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s missing, and CI=true", what)
	}
	t.Skipf("%s missing", what)
}
