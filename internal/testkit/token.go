package testkit

import (
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// SoftToken is an empty PKCS#11 token in software, for the length of a test.
type SoftToken struct {
	Module, Label, PIN string
	Dir                string // where its files are
}

// NewSoftToken makes a token with SoftHSM.
func NewSoftToken(t testing.TB) SoftToken {
	t.Helper()
	tool := Tool(t, "softhsm2-util")
	dir := t.TempDir()
	token := SoftToken{"/usr/lib/softhsm/libsofthsm2.so", "akashi", rand.Text(), filepath.Join(dir, "tokens")}
	settings := filepath.Join(dir, "softhsm2.conf")
	if err := errors.Join(os.Mkdir(token.Dir, 0o700),
		os.WriteFile(settings, []byte("directories.tokendir = "+token.Dir+"\nlog.level = ERROR\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", settings)
	out, err := exec.CommandContext(t.Context(), tool, "--init-token", "--free", "--label", token.Label, "--pin", token.PIN, "--so-pin", rand.Text()).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return token
}
