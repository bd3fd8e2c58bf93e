package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"akashi/internal/cli"
)

// Issue 4, section 6: what a start would refuse is told before, without a secret
// and without touching anything.
func TestConfigCheck(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	check := func(settings ...string) (int, string, string) {
		environ := []string{"AKASHI_DATA=" + data, "AKASHI_DATABASE_URL=postgres://u:hidden@db.example.jp/a?sslmode=verify-full"}
		for _, s := range settings {
			environ = append(environ, "AKASHI_"+s)
		}
		var out, errs bytes.Buffer
		status := cli.Run(t.Context(), []string{"config", "check"}, nil, &out, &errs, cli.Adapters{Environ: environ})
		return status, out.String(), errs.String()
	}
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(data, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if status, out, errs := check(); status != 0 || !strings.Contains(out, "nothing to refuse") || strings.Contains(out+errs, "hidden") {
		t.Errorf("ok/nothing: %d %s%s", status, out, errs)
	}
	if list, err := os.ReadDir(data); err != nil || len(list) != 0 {
		t.Errorf("ok/nothing is made: %v %v", list, err)
	}
	pem := file("c.pem", "no certificate", 0o600)
	for name, c := range map[string]struct{ setting, want string }{
		"no certificate":   {"TLS_CERTIFICATE=" + pem + ",TLS_KEY=" + pem, "TLS_CERTIFICATE"},
		"no font":          {"FONTS=" + pem, "c.pem"},
		"no copy":          {"LOG_COPY=" + pem, "not a directory"},
		"no https":         {"ALERT_URL=http://alerts.example.jp", "AKASHI_ALERT_URL"},
		"no age key":       {"BACKUP_RECIPIENT=age1xyz", "AKASHI_BACKUP_RECIPIENT"},
		"no web origin":    {"STAFF_ORIGIN=ftp://staff.example.jp", "AKASHI_STAFF_ORIGIN"},
		"unknown":          {"COLOUR=red", "unknown setting"},
		"production alone": {"PRODUCTION=true", "production needs"},
	} {
		if status, out, errs := check(strings.Split(c.setting, ",")...); status == 0 || !strings.Contains(errs, c.want) {
			t.Errorf("error/%s: %d %s%s", name, status, out, errs)
		}
	}
	file("seal.key", "f:not a key", 0o600)
	if status, _, errs := check(); status == 0 || !strings.Contains(errs, "seal.key is not a key file") {
		t.Errorf("error/file key: %d %s", status, errs)
	}
	file("keys/keys.json", "", 0o600)
	staffless := []string{"PRODUCTION=true", "SHC_ISSUER=https://issuer.example.jp", "VDSNC_ISSUER=JPN", "NODES=1", "FACES=jobs", "PKCS11_MODULE=/usr/lib/token.so", "PKCS11_PIN=of the test"}
	if status, _, errs := check(staffless...); status == 0 || !strings.Contains(errs, "of a TEST installation") {
		t.Errorf("error/test keys in production: %d %s", status, errs)
	}
	if err := os.Chmod(data, 0o755); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := check(); status == 0 || !strings.Contains(errs, "chmod 700") {
		t.Errorf("error/open to others: %d %s", status, errs)
	}
}
