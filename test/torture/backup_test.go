package torture

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"akashi/internal/testkit"
)

// S-078, the drill: a backup made under load is restored; what was acknowledged
// before is there and verifies, the books balance, and every wrong way is refused.
func TestBackup(t *testing.T) {
	together(t)
	t.Run("sqlite", func(t *testing.T) { backup(t, database{}) })
	t.Run("postgres", func(t *testing.T) { backup(t, onPostgres(t)) })
}

func backup(t *testing.T, d database) {
	n := newNode(t, t.TempDir(), d.environ...)
	n.start(t)
	who, people := signIn(t, n), invent(of(20, 400))
	bring(t, n.faces["staff"]+"/api/v1", who, people)
	d.widen(t, n.data)
	l := newLoad(t, n, who, people)
	l.look = 0
	l.run(t.Context(), 8, 100)
	before := map[string]*issued{}
	for id, i := range l.acknowledged {
		before[id] = i
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); l.run(ctx, 4, 1<<40) }()

	safe := t.TempDir()
	identity, recipient := ageKey(t, safe, "identity")
	file := filepath.Join(safe, "backup.age")
	out, status := n.run(t, "backup", "--to", file, "--recipient", recipient)
	stop()
	<-ended
	if status != 0 {
		t.Fatalf("backup: %s", out)
	}
	l.report(t, n)
	t.Run("error", func(t *testing.T) { refuseBackup(t, n, file, identity, recipient) })

	out, status = n.run(t, "restore", "--check", "--from", file, "--identity", identity)
	if status != 0 || !strings.Contains(out, "drill passed") || !strings.Contains(out, "shc") || !strings.Contains(out, "vdsnc") {
		t.Errorf("drill: %s", out)
	}
	n.kill()

	// The site is gone: the file key and the signing keys come from their safe place.
	other := &node{binary: n.binary, data: filepath.Join(safe, "data")}
	t.Cleanup(other.kill)
	target := []string{"--data", other.data}
	restored := database{}
	if d.direct != "" {
		fresh := testkit.Postgres(t)
		other.environ = []string{"AKASHI_DATABASE_URL=" + fresh.StaffURL, "AKASHI_MIGRATE_URL=" + fresh.OwnerURL}
		restored.direct = fresh.OwnerURL
		target = []string{"--database", fresh.OwnerURL}
	}
	restore := append([]string{"restore", "--from", file, "--identity", identity}, target...)
	if out, status := n.run(t, restore...); status != 0 {
		t.Fatalf("restore: %s", out)
	}
	if out, status := n.run(t, restore...); status != 1 {
		t.Errorf("restored over something: %s", out)
	}
	for _, name := range []string{"seal.key", "keys", "test-setup-links.json", "test-passkeys"} {
		if err := os.MkdirAll(other.data, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(n.data, name), filepath.Join(other.data, name)); err != nil {
			t.Fatal(err)
		}
	}
	other.start(t)
	db := restored.open(t, other.data)
	settle(t, db)
	b := checkBooks(t, db, before)
	api := other.faces["staff"] + "/api/v1"
	if r, err := ask(t.Context(), who.clerk, "GET", api+"/account", "", nil); err != nil || r.status != 401 {
		t.Errorf("a session came back with the backup: %d %v", r.status, err)
	}
	verified := checkAll(t, api, signIn(t, other).clerk, db, before, l.bundle)
	if len(before) == 0 || verified == 0 {
		t.Errorf("%d acknowledged before, %d verified", len(before), verified)
	}
	t.Logf("%d certificates acknowledged before the backup, %d verified after the restore; books %+v", len(before), verified, b)
}

func ageKey(t *testing.T, dir, name string) (identity, recipient string) {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	identity = filepath.Join(dir, name)
	if err := os.WriteFile(identity, []byte(key.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return identity, key.Recipient().String()
}

// refuseBackup: an existing file, another key, a file that was cut or changed, and
// parts that do not belong together are refused before anything is touched.
func refuseBackup(t *testing.T, n *node, file, identity, recipient string) {
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	save := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	changed := append([]byte(nil), whole...)
	changed[len(changed)/2] ^= 1
	stranger, _ := ageKey(t, dir, "stranger")
	for name, args := range map[string][]string{
		"over a file":   {"backup", "--to", file, "--recipient", recipient},
		"other key":     {"restore", "--from", file, "--identity", stranger},
		"cut":           {"restore", "--from", save("cut", whole[:len(whole)-100]), "--keys", file + ".keys", "--identity", identity},
		"changed":       {"restore", "--from", save("changed", changed), "--keys", file + ".keys", "--identity", identity},
		"without keys":  {"restore", "--from", save("alone", whole), "--identity", identity},
		"data for keys": {"restore", "--from", file, "--keys", file, "--identity", identity},
	} {
		target := filepath.Join(dir, "data of "+name)
		if args[0] == "restore" {
			args = append(args, "--data", target)
		}
		if out, status := n.run(t, args...); status != 1 {
			t.Errorf("%s: %d %s", name, status, out)
		}
		if _, err := os.Stat(filepath.Join(target, "akashi.db")); err == nil {
			t.Errorf("%s: left a database", name)
		}
	}
	for name, args := range map[string][]string{
		"no recipient": {"backup", "--to", filepath.Join(dir, "x")},
		"no target":    {"restore", "--from", file, "--identity", identity},
	} {
		if out, status := n.run(t, args...); status != 64 {
			t.Errorf("%s: %d %s", name, status, out)
		}
	}
}
