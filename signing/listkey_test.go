package signing

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The key of the list of signers is made once, private, and read again; a damaged one is
// refused without a word of what is in it.
func TestListKey(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	made, err := OpenListKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenListKey(dir)
	if err != nil || !bytes.Equal(made.Public(), again.Public()) || !bytes.Contains(made.Public(), []byte("PUBLIC KEY")) {
		t.Errorf("ok/read again: %v", err)
	}
	path := filepath.Join(dir, "dcc-signers.key")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenListKey(dir); err == nil {
		t.Error("error/readable by others")
	}
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenListKey(dir); err == nil || bytes.Contains([]byte(err.Error()), []byte("secret")) {
		t.Errorf("error/damaged: %v", err)
	}
}
