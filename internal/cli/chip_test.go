package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"akashi/internal/cli"
	"akashi/internal/testkit"
)

// akashi passport chip: verdict and exit status, and the holder only with --show.
func TestPassportChip(t *testing.T) {
	const at = "2026-06-01T00:00:00Z"
	shared := func(name string) string { return testkit.Shared(t, "emrtd/synthetic/"+name) }
	dir := filepath.Join(t.TempDir(), "trust")
	if status, _, errs := run(t, "", "trust", "import", "csca", shared("csca-jpn-test.der"), "--out", dir); status != 0 {
		t.Fatal(errs)
	}
	base := filepath.Join(t.TempDir(), "trust")
	if status, _, errs := run(t, "", "trust", "import", "crl", shared("jpn.crl"), "--trust", dir, "--out", base); status != 0 {
		t.Fatal(errs)
	}
	check := func(stdin, folder string, more ...string) (int, string, string) {
		t.Helper()
		return run(t, stdin, append([]string{"passport", "chip", "--trust", base, "--at", at, "--sod", shared(folder + "/EF_SOD.bin"), "--dg1", shared(folder + "/EF_DG1.bin")}, more...)...)
	}
	const lines = "P<JPNGAIMU<<SAKURA<<<<<<<<<<<<<<<<<<<<<<<<<<\nTZ12345676JPN9002203F3402199<<<<<<<<<<<<<<<8\n"
	typed := func(old, to string) string { return strings.Replace(lines, old, to, 1) }
	face := "2=" + shared("ok-01-ecdsa-explicit/EF_DG2.bin")
	for name, c := range map[string]struct {
		stdin, folder string
		more          []string
		status        int
		says          string
	}{
		"ok/DG1":               {"", "ok-07-dg1-only", nil, 0, "VALID"},
		"ok/face, hashed":      {"", "ok-01-ecdsa-explicit", []string{"--group", face}, 0, "VALID"},
		"ok/typed":             {lines, "ok-01-ecdsa-explicit", []string{"--zone", "-"}, 0, "VALID"},
		"error/typed":          {typed("SAKURA", "SAKURO"), "ok-01-ecdsa-explicit", []string{"--zone", "-"}, 1, "differs: name"},
		"error/not the face":   {"", "ok-01-ecdsa-explicit", []string{"--group", "2=" + shared("ok-01-ecdsa-explicit/EF_DG1.bin")}, 1, "changed after they were signed"},
		"error/another group":  {"", "ok-01-ecdsa-explicit", []string{"--group", "11=" + shared("ok-01-ecdsa-explicit/EF_DG2.bin")}, 1, "never signed"},
		"error/changed":        {"", "bad-01-dg1-changed", nil, 1, "NOT VALID"},
		"error/revoked":        {"", "bad-07-signer-revoked", nil, 1, "was revoked"},
		"error/tag":            {"", "bad-17-wrong-tag", []string{"--group", face}, 2, "UNREADABLE"},
		"error/unknown":        {"", "bad-05-unknown-csca", nil, 3, "Import a newer master list"},
		"error/no group":       {"", "ok-01-ecdsa-explicit", []string{"--group", face[2:]}, cli.UsageStatus, "--group"},
		"error/DG1 as another": {"", "ok-01-ecdsa-explicit", []string{"--group", "1=" + face[2:]}, cli.UsageStatus, "--group"},
		"error/no file":        {"", "ok-01-ecdsa-explicit", []string{"--group", "2=none"}, 2, "no such file"},
		"error/argument":       {"", "ok-01-ecdsa-explicit", []string{"more"}, cli.UsageStatus, "argument"},
		"error/time":           {"", "ok-01-ecdsa-explicit", []string{"--at", "now"}, cli.UsageStatus, "--at"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, more := range [][]string{nil, {"--json"}} {
				status, out, errs := check(c.stdin, c.folder, append(more, c.more...)...)
				if status != c.status || more == nil && !strings.Contains(out+errs, c.says) {
					t.Errorf("%d, want %d %q\n%s%s", status, c.status, c.says, out, errs)
				}
				for _, personal := range []string{"GAIMU", "SAKUR", "TZ1234567", "900220", "1990-02-20"} {
					if strings.Contains(out+errs, personal) {
						t.Errorf("%v: tells %s", more, personal)
					}
				}
			}
		})
	}
	if status, out, _ := check(typed("SAKURA", "SAKURO"), "ok-01-ecdsa-explicit", "--zone", "-", "--show"); status != 1 || !strings.Contains(out, lines[:44]) || !strings.Contains(out, "GAIMU, SAKURO") {
		t.Errorf("ok/--show: %d %s", status, out)
	}
	var v struct {
		Outcome, Issuer string
		Facets          []any
		Zone            struct{ Lines []string }
	}
	status, out, _ := check("", "ok-01-ecdsa-explicit", "--json", "--show")
	if err := json.Unmarshal([]byte(out), &v); err != nil || status != 0 || v.Outcome != "valid" || v.Issuer != "JPN" || len(v.Facets) != 10 || len(v.Zone.Lines) != 2 {
		t.Errorf("ok/JSON: %d %s %v", status, out, err)
	}
	if status, _, errs := run(t, "", "passport", "chip", "--trust", base); status != cli.UsageStatus || !strings.Contains(errs, "--sod") {
		t.Errorf("error/no SOD: %d %s", status, errs)
	}
	big := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(big, make([]byte, 11<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := check("", "ok-01-ecdsa-explicit", "--group", "2="+big); status != 2 || !strings.Contains(errs, "larger") {
		t.Errorf("error/too large: %d %s", status, errs)
	}
}
