package torture

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"akashi/internal/testkit"
)

// earlier is the version that an upgrade starts from: the last one before migration
// 00002. A release moves it on.
const earlier = "b70bfbba285c359b947b53b80ebb4ed6ce725b37"

// earlierProgram builds that version from the history of this checkout.
func earlierProgram(t *testing.T) string {
	t.Helper()
	root, dir := testkit.Root(t), t.TempDir()
	if exec.Command("git", "-C", root, "cat-file", "-e", earlier+"^{commit}").Run() != nil {
		testkit.Missing(t, "the history with "+earlier)
	}
	source, err := os.Create(filepath.Join(dir, "source.tar"))
	if err != nil {
		t.Fatal(err)
	}
	archive := exec.Command("git", "-C", root, "archive", earlier)
	archive.Stdout = source
	if err := errors.Join(archive.Run(), source.Close(), os.Mkdir(filepath.Join(dir, "source"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("tar", "-xf", source.Name(), "-C", filepath.Join(dir, "source")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	binary, err := buildIn(filepath.Join(dir, "source"), filepath.Join(dir, "akashi"))
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// S-103: an earlier version and this one on one database. What the earlier one had
// acknowledged, before and while the other migrated, is there afterwards and
// verifies, and an unencrypted database has a copy from before.
func TestUpgrade(t *testing.T) {
	together(t)
	binary := earlierProgram(t)
	t.Run("sqlite", func(t *testing.T) { upgrade(t, binary, database{}) })
	t.Run("postgres", func(t *testing.T) { upgrade(t, binary, onPostgres(t)) })
}

func upgrade(t *testing.T, binary string, d database) {
	data := t.TempDir()
	old := newNode(t, data, d.environ...)
	old.binary, old.earlier = binary, true
	old.start(t)
	who, people := keyHolders(t, old), invent(20)
	bring(t, old.faces["staff"]+"/api/v1", who, people)
	l := newLoad(t, old, who, people)
	l.look, l.excused = 0.2, true // a node that meets a newer schema may refuse
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); l.run(ctx, 4, 1<<40) }()
	eventually(t, "work of the earlier version", 60*time.Second, func() bool { return l.answered.Load() > 100 })
	var atMigration int64
	finish := func() {
		stop()
		<-ended
		old.kill()
	}
	fresh := newNode(t, data, d.environ...)
	if d.direct == "" { // SQLite has one process
		finish()
		atMigration = l.answered.Load()
		fresh.start(t)
		copies, err := filepath.Glob(filepath.Join(data, "before-*.db"))
		if err != nil || len(copies) != 1 {
			t.Errorf("copies before the migration: %q", copies)
		}
	} else {
		fresh.start(t)
		atMigration = l.answered.Load()
		time.Sleep(2 * time.Second)
		finish()
	}
	l.report(t)
	db := d.open(t, data)
	b := checkBooks(t, db, l.acknowledged)
	d.widen(t, data)
	verified := checkAll(t, fresh.faces["staff"]+"/api/v1", upgraded(t, fresh), db, l.acknowledged, l.bundle)
	t.Logf("%d requests, %d answered, %d of them after the migration; %d certificates acknowledged, %d verified by the new version; refused %v; books %+v",
		l.asked.Load(), l.answered.Load(), l.answered.Load()-atMigration, len(l.acknowledged), verified, l.tally(), b)
	if verified == 0 {
		t.Error("nothing verified")
	}
}

// keyHolders are the two people of an earlier version, who came with keys.
func keyHolders(t *testing.T, n *node) staff {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(n.data, "test-staff-keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	var keys []struct{ Key string }
	if err := json.Unmarshal(text, &keys); err != nil || len(keys) != 2 {
		t.Fatalf("staff keys: %v", err)
	}
	bearer := func(key string) sign {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }
	}
	return staff{clerk: bearer(keys[0].Key), officer: bearer(keys[1].Key)}
}

// upgraded signs in the officer of an earlier version by the set-up link that the
// new one has made.
func upgraded(t *testing.T, n *node) sign {
	t.Helper()
	for user := range links(t, n) {
		return session(t, n, user).sign
	}
	t.Fatal("nobody can sign in after the upgrade")
	return nil
}
