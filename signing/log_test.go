package signing

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"akashi/internal/merkle"
)

// S-086: each log has a key of its own, kept private, found again at the next
// start, that signs checkpoints of this log only.
func TestLogKey(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for range 8 { // the secret's encoding has a plus of its own now and then
		if err := os.RemoveAll(filepath.Join(dir, "operation-log.key")); err != nil {
			t.Fatal(err)
		}
		key, err := OpenLogKey(dir, OperationLog, TestIssuer)
		if err != nil {
			t.Fatal(err)
		}
		again, err := OpenLogKey(dir, OperationLog, TestIssuer)
		if err != nil || again.Public() != key.Public() {
			t.Fatalf("ok/again: %v", err)
		}
		text, err := key.SignCheckpoint(merkle.Checkpoint{Origin: "issuer.akashi.test/operation-log", Size: 1, Time: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		public, err := os.ReadFile(filepath.Join(dir, "operation-log.pub"))
		if err != nil || strings.TrimSpace(string(public)) != key.Public() {
			t.Errorf("ok/public file: %s %v", public, err)
		}
		verifier, err := note.NewVerifier(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := merkle.OpenCheckpoint(text, verifier); err != nil {
			t.Errorf("ok/opens: %v", err)
		}
	}
	key, err := OpenLogKey(dir, IssuanceLog, TestIssuer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := key.SignCheckpoint(merkle.Checkpoint{Origin: "issuer.akashi.test/operation-log"}); err == nil {
		t.Error("error/checkpoint of the other log: signed")
	}
	path := filepath.Join(dir, "operation-log.key")
	if _, err := OpenLogKey(dir, OperationLog, "https://other.example"); err == nil {
		t.Error("error/key of another issuer: opened")
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLogKey(dir, OperationLog, TestIssuer); err == nil {
		t.Error("error/readable by others: opened")
	}
	if err := os.WriteFile(path, []byte("PRIVATE+KEY+x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLogKey(dir, OperationLog, TestIssuer); err == nil || strings.Contains(err.Error(), "PRIVATE") {
		t.Errorf("error/damaged: %v", err)
	}
}
