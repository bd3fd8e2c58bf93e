package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"akashi/internal/backup"
)

// waiting is an archive of a database that is about to be migrated.
type waiting struct {
	from, to int64
	copies   int
	broken   error
}

func (w *waiting) Pending(context.Context, string, string) (from, to int64, err error) {
	return w.from, w.to, nil
}

func (w *waiting) Backup(_ context.Context, _, _ string, data, keys *backup.Writer, _ ...string) error {
	return errors.Join(w.broken, data.Begin("log", []string{"id"}), data.Row([]any{"1"}), keys.Begin("person_keys", []string{"id"}))
}

func (w *waiting) Copy(_ context.Context, _, to string) error {
	w.copies++
	return errors.Join(w.broken, os.WriteFile(to, nil, 0o600))
}

func (w *waiting) Restore(context.Context, string, *backup.Reader, *backup.Reader) (int, error) {
	return 0, nil
}

// A migration makes a backup first, or does not begin.
func TestBackupFirst(t *testing.T) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	recipient := key.Recipient().String()
	for name, c := range map[string]struct {
		archive waiting
		config  Config
		files   int
		fails   bool
	}{
		"ok/nothing to do":      {waiting{from: 2, to: 2}, Config{}, 0, false},
		"ok/new database":       {waiting{to: 2}, Config{}, 0, false},
		"ok/plain copy":         {waiting{from: 1, to: 2}, Config{}, 1, false},
		"ok/encrypted":          {waiting{from: 1, to: 2}, Config{Recipient: recipient}, 2, false},
		"ok/server":             {waiting{from: 1, to: 2}, Config{DatabaseURL: "postgres://x"}, 0, false},
		"ok/server, encrypted":  {waiting{from: 1, to: 2}, Config{DatabaseURL: "postgres://x", Recipient: recipient}, 2, false},
		"error/no copy":         {waiting{from: 1, to: 2, broken: errors.New("no room")}, Config{}, 0, true},
		"error/not encrypted":   {waiting{from: 1, to: 2, broken: errors.New("no room")}, Config{Recipient: recipient}, 0, true},
		"error/wrong recipient": {waiting{from: 1, to: 2}, Config{Recipient: "age1x"}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			c.config.Data = t.TempDir()
			if err := backupFirst(t.Context(), &c.archive, c.config); (err != nil) != c.fails {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(c.config.Data, "before-00002-*"))
			if err != nil || !c.fails && len(files) != c.files {
				t.Errorf("%d files, want %d", len(files), c.files)
			}
			if hidden, _ := filepath.Glob(filepath.Join(c.config.Data, ".*")); len(hidden) > 0 {
				t.Errorf("left %q", hidden)
			}
		})
	}
}
