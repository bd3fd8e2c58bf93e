package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const events = `{"Action":"start","Package":"akashi/internal/a"}
{"Action":"output","Package":"akashi/internal/a","Test":"TestOne","Output":"=== RUN TestOne\n"}
{"Action":"pass","Package":"akashi/internal/a","Test":"TestOne/ok/first"}
{"Action":"pass","Package":"akashi/internal/a","Test":"TestOne"}
{"Action":"skip","Package":"akashi/internal/a","Test":"TestTwo"}
{"Action":"output","Package":"akashi/internal/a","Output":"PASS\n"}
{"Action":"output","Package":"akashi/internal/a","Output":"ok  \takashi/internal/a\t0.1s\n"}
{"Action":"pass","Package":"akashi/internal/a"}
`

// Issue 4, section 6: a claim whose test did not run and pass in this run fails it.
func TestRun(t *testing.T) {
	t.Setenv("CI", "true")
	const rows = "| S-001 | x |\n| S-002 | x |\n"
	ok := "| S-001 | holds | done | `internal/a.TestOne`, `internal/a.TestOne/ok/first` |\n| S-002 | open | not yet | |\n"
	for name, c := range map[string]struct{ events, table, rows, want string }{
		"ok/all shown":              {events, ok, rows, ""},
		"error/skipped":             {events, strings.ReplaceAll(ok, "`internal/a.TestOne`", "`internal/a.TestTwo`"), rows, "S-001: internal/a.TestTwo did not run and pass"},
		"error/renamed":             {events, strings.ReplaceAll(ok, "ok/first", "ok/second"), rows, "did not run and pass"},
		"error/row missing":         {events, ok, rows + "| S-003 | x |\n", "S-003 has no row"},
		"error/no test":             {events, strings.ReplaceAll(ok, "open", "holds"), rows, "S-002 holds without a test"},
		"error/unknown state":       {events, strings.ReplaceAll(ok, "open", "fine"), rows, "no state"},
		"error/twice":               {events, ok + ok, rows, "twice"},
		"error/cells":               {events, "| S-001 | holds |\n", rows, "cells"},
		"error/empty table":         {events, "nothing", rows, "no rows"},
		"error/a test failed":       {events + `{"Action":"fail","Package":"akashi/internal/a","Test":"TestThree"}` + "\n", ok, rows, "tests failed"},
		"error/it did not compile":  {events + `{"Action":"build-fail","ImportPath":"akashi/internal/b"}` + "\n", ok, rows, "tests failed"},
		"error/requirements absent": {events, ok, "", "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			table, list := filepath.Join(dir, "threats.md"), filepath.Join(dir, "rows.md")
			if err := os.WriteFile(table, []byte(c.table), 0o600); err != nil {
				t.Fatal(err)
			}
			if c.rows != "" {
				if err := os.WriteFile(list, []byte(c.rows), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out strings.Builder
			err := run(strings.NewReader(c.events), &out, table, list)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if !strings.HasPrefix(out.String(), "ok  \takashi/internal/a") {
				t.Errorf("not as go test prints: %q", &out)
			}
		})
	}
}

// The output of a test that failed is shown, that of others is not.
func TestFollow(t *testing.T) {
	var out strings.Builder
	_, err := follow(strings.NewReader(`{"Action":"output","Package":"akashi/p","Test":"TestBad","Output":"why\n"}
{"Action":"output","Package":"akashi/p","Test":"TestGood","Output":"never\n"}
{"Action":"pass","Package":"akashi/p","Test":"TestGood"}
{"Action":"fail","Package":"akashi/p","Test":"TestBad"}
{"Action":"output","Package":"akashi/p","Output":"FAIL\n"}
plain words of the go command
`), &out)
	if err == nil || out.String() != "why\nFAIL\nplain words of the go command\n" {
		t.Errorf("%v %q", err, &out)
	}
}
