package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// S-101, issue 4, section 6: the program is made of reviewed parts only.
func TestProgram(t *testing.T) {
	t.Chdir("../..")
	out := filepath.Join(t.TempDir(), "bill.json")
	if err := run(false, "release/licences.tsv", out); err != nil {
		t.Fatal(err)
	}
	bill, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"CycloneDX"`, `"pkg:golang/gorm.io/gorm@v`, `"expression": "MIT"`} {
		if !strings.Contains(string(bill), want) {
			t.Errorf("no %s in the bill", want)
		}
	}
}

// The check fails on each planted fault.
func TestReview(t *testing.T) {
	parts := []module{{"example.org/a", "v1.0.0", "aa"}}
	for name, c := range map[string]struct{ list, want string }{
		"ok/reviewed":      {"# why\nexample.org/a\tMIT AND ISC\taa\n", ""},
		"error/unknown":    {"example.org/b\tMIT\taa\n", "is not in the reviewed list"},
		"error/gone":       {"example.org/a\tMIT\taa\nexample.org/b\tMIT\taa\n", "no part of the program"},
		"error/changed":    {"example.org/a\tMIT\tbb\n", "has changed"},
		"error/forbidden":  {"example.org/a\tMIT AND AGPL-3.0-only\taa\n", "may not be shipped"},
		"error/unreviewed": {"example.org/a\t\taa\n", "may not be shipped"},
	} {
		t.Run(name, func(t *testing.T) {
			err := review(parts, readList(c.list))
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
