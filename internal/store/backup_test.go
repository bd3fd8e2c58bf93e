package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"akashi/internal/backup"
	"akashi/internal/vaccination"
)

// parts is a backup in memory.
type parts struct {
	key        *age.X25519Identity
	data, keys bytes.Buffer
	held       [2]backup.Manifest
}

func takeBackup(t *testing.T, c Config, schema int64) *parts {
	t.Helper()
	p := &parts{}
	var err error
	if p.key, err = age.GenerateX25519Identity(); err != nil {
		t.Fatal(err)
	}
	writer := func(to *bytes.Buffer, part string) *backup.Writer {
		w, err := backup.NewWriter(to, backup.Header{Part: part, Schema: schema, MadeAt: time.Unix(0, 0).UTC()}, p.key.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	data, keys := writer(&p.data, backup.Data), writer(&p.keys, backup.Keys)
	if err := Backup(t.Context(), c, data, keys, "900002"); err != nil {
		t.Fatal(err)
	}
	for i, w := range []*backup.Writer{data, keys} {
		if p.held[i], err = w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p *parts) restore(t *testing.T, c Config) (int, error) {
	t.Helper()
	reader := func(from []byte) *backup.Reader {
		r, err := backup.NewReader(bytes.NewReader(from), p.key)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	return Restore(t.Context(), c, reader(p.data.Bytes()), reader(p.keys.Bytes()))
}

func schemaOf(t *testing.T, c Config) int64 {
	t.Helper()
	from, to, err := Pending(t.Context(), c)
	if err != nil || from != to {
		t.Fatalf("schema %d, %d: %v", from, to, err)
	}
	return from
}

// fill puts something into most tables, of two offices.
func (f *fixture) fill(t *testing.T) {
	t.Helper()
	f.bring(t, vaccination.Subjects, sample(t, "subjects.csv"))
	f.bring(t, vaccination.Records, sample(t, "records.csv"))
	if err := f.act(t, there, func(ctx context.Context) error { _, err := f.NewPersonKey(ctx, there); return err }); err != nil {
		t.Fatal(err)
	}
}

// S-078: a restored database has every row of every table, on either database, also
// when the backup is that of the other; and what is restored can be opened.
func TestBackup(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.fill(t)
		schema := schemaOf(t, f.config)
		p := takeBackup(t, f.config, schema)
		if p.held[0].Rows("log") < 5 || p.held[0].Rows("doses") == 0 || p.held[0].Rows("person_keys") != 0 || p.held[1].Rows("person_keys") == 0 {
			t.Errorf("ok/parts: %+v", p.held)
		}
		for _, to := range databases() {
			target := to.config(t)
			if before, after, err := Pending(t.Context(), target); before != 0 || after != 0 || err != nil {
				t.Errorf("ok/new: %d %d %v", before, after, err)
			}
			target.Ring, target.Clock = f.config.Ring, f.config.Clock
			if erased, err := p.restore(t, target); err != nil || erased != 0 {
				t.Fatalf("ok/into %s: %d erased, %v", to.name, erased, err)
			}
			same := f.postgres == (to.name == "postgres")
			again := takeBackup(t, target, schemaOf(t, target))
			for i := range again.held {
				for n, table := range p.held[i].Tables {
					if table.Name == "installation" && f.postgres {
						continue // what roles of this cluster were granted is not restored
					}
					if other := again.held[i].Tables[n]; again.held[i].Rows(table.Name) != table.Rows || same && other.SHA256 != table.SHA256 {
						t.Errorf("ok/into %s: %s differs", to.name, table.Name)
					}
				}
			}
			s, err := Open(t.Context(), target)
			if err != nil {
				t.Fatalf("ok/opened %s: %v", to.name, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if _, err := p.restore(t, target); !errors.Is(err, ErrNotEmpty) {
				t.Errorf("error/into %s again: %v", to.name, err)
			}
		}
		p = takeBackup(t, f.config, schema+1)
		if _, err := p.restore(t, databases()[0].config(t)); !errors.Is(err, ErrNewerSchema) {
			t.Errorf("error/newer schema: %v", err)
		}
	})
}

// S-076: with a newer part of keys, an old backup does not bring back what was erased.
func TestBackupErased(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.fill(t)
		old := takeBackup(t, f.config, schemaOf(t, f.config))
		old.keys.Reset()
		w, err := backup.NewWriter(&old.keys, backup.Header{Part: backup.Keys, Schema: old.held[1].Schema}, old.key.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		err = w.Begin("person_keys", []string{"office", "id", "ticket_ix", "wrapped", "created_at"})
		if _, closed := w.Close(); errors.Join(err, closed) != nil {
			t.Fatal(err, closed)
		}
		target := databases()[0].config(t)
		erased, err := old.restore(t, target)
		if want := old.held[1].Rows("person_keys") - 1; err != nil || erased != want { // that of the other office seals nothing
			t.Errorf("ok: %d of %d erased, %v", erased, want, err)
		}
	})
}

// A copy of a SQLite file is whole, for the owner's eyes, and never over another file.
func TestCopy(t *testing.T) {
	on(t, databases()[:1], testCopy)
}

func testCopy(t *testing.T, f *fixture) {
	f.fill(t)
	c, to := f.config, filepath.Join(t.TempDir(), "copy.db")
	if err := Copy(t.Context(), c, to); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("ok/mode: %v %v", info.Mode(), err)
	}
	was, is := takeBackup(t, c, 1), takeBackup(t, Config{URL: to}, 1)
	for i := range was.held {
		if len(was.held[i].Tables) != len(is.held[i].Tables) || was.held[i].Tables[0].SHA256 != is.held[i].Tables[0].SHA256 {
			t.Errorf("ok/content: %+v %+v", was.held[i], is.held[i])
		}
	}
	if err := Copy(t.Context(), c, to); err == nil {
		t.Error("error/over a file: written")
	}
}
