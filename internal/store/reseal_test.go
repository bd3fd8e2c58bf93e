package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gorm.io/gorm"

	"akashi/internal/actor"
	"akashi/internal/custody"
	"akashi/internal/fault"
	"akashi/internal/seal"
	"akashi/internal/vaccination"
)

// approvals grants what it lists, once each.
type approvals map[string]int

func (a approvals) Use(_ context.Context, _ actor.Actor, kind, object string, _ map[string]string) error {
	if a[kind+" "+object] == 0 {
		return fault.New(fault.Forbidden, "approval_needed", "")
	}
	a[kind+" "+object]--
	return nil
}

// custody is the use cases over the open store; nobody has to wait.
func (f *fixture) custody(t *testing.T, a approvals) *custody.Service {
	return &custody.Service{Log: f.log, Store: f.Store, Approvals: a, Settle: func(context.Context) error { return nil }, Batch: 3}
}

// keyFile gives the fixture a ring whose file key lies in a file, as a process has it.
func (f *fixture) keyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seal.key")
	f.ring = nil
	db := f.owner(t)
	ring, err := seal.OpenFile(path, true)
	if err == nil {
		err = ring.Keep()
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := db.write.Exec("UPDATE installation SET value = ? WHERE name = 'seal'", ring.Proof()).Error; err != nil {
		t.Fatal(err)
	}
	f.config.Ring = ring
	f.restart(t, path)
	return path
}

// restart opens the database as a new process does: nothing is known but the file.
func (f *fixture) restart(t *testing.T, path string) {
	t.Helper()
	ring, err := seal.OpenFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	f.config.Ring = ring
	f.open(t)
	f.log.Book = f.Store
}

func (f *fixture) dataKeys(t *testing.T, p seal.Purpose) (list []seal.DataKey) {
	t.Helper()
	keys, err := f.DataKeys(t.Context(), here)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.Purpose == p {
			list = append(list, k)
		}
	}
	return list
}

// whole demands that every sample person is found in each way, with all doses.
func (f *fixture) whole(t *testing.T, when string) {
	t.Helper()
	doses := 0
	for n := 1; n <= 12; n++ {
		ticket := fmt.Sprintf("%010d", n)
		people := f.find(t, ticket)
		if len(people) != 1 {
			t.Fatalf("%s: %d people with ticket %s", when, len(people), ticket)
		}
		doses += len(people[0].Doses)
		s := people[0].Subject
		err := f.act(t, here, func(ctx context.Context) error {
			for _, k := range s.SearchKeys() {
				if k.Kind == vaccination.ExactName {
					found, err := f.Register(here).FindByName(ctx, k, s.BirthDate)
					if err != nil || len(found) == 0 {
						return fmt.Errorf("by name: %d, %w", len(found), err)
					}
				}
			}
			if s.Address == "" {
				return nil
			}
			found, err := f.Register(here).FindByAddress(ctx, s.Address)
			if err != nil || len(found) == 0 {
				return fmt.Errorf("by address: %d, %w", len(found), err)
			}
			return nil
		})
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
	}
	if n := f.rows(t, here, "doses"); int64(doses) != n {
		t.Fatalf("%s: %d of %d doses found", when, doses, n)
	}
}

// heads counts the boxes of a column by the key that they name.
func (f *fixture) heads(t *testing.T, table, column string) map[string]int {
	t.Helper()
	var boxes [][]byte
	if err := f.look(t.Context(), here, func(db *gorm.DB) error {
		return db.Table(table).Where("office = ? AND "+column+" IS NOT NULL", here).Pluck(column, &boxes).Error
	}); err != nil {
		t.Fatal(err)
	}
	heads := map[string]int{}
	for _, b := range boxes {
		id, _, err := seal.KeyID(b)
		if err != nil {
			t.Fatal(err)
		}
		heads[id]++
	}
	return heads
}

// S-073: each office has a random key of its own for each purpose, wrapped by a
// key outside the database.
func TestDataKeys(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.bring(t, vaccination.Subjects, sample(t, "subjects.csv"))
		seen := map[string]bool{}
		for _, p := range seal.Purposes() {
			keys := f.dataKeys(t, p)
			if len(keys) != 1 || keys[0].Version != 1 || keys[0].State != seal.Active || seen[string(keys[0].Wrapped)] {
				t.Errorf("%s: %+v", p, keys)
				continue
			}
			seen[string(keys[0].Wrapped)] = true
			if id, _, err := seal.KeyID(keys[0].Wrapped); err != nil || id != f.ring.KeeperID() {
				t.Errorf("%s: wrapped by %q, %v", p, id, err)
			}
		}
		if heads := f.heads(t, "person_keys", "wrapped"); len(heads) != 1 || heads["wrap/1"] == 0 {
			t.Errorf("persons' keys: %v", heads)
		}
		foreign := seal.NewRing()
		foreign.Attach()
		if err := foreign.Load(here, f.dataKeys(t, seal.Wrap), f.now); !errors.Is(err, seal.ErrForeignKeeper) {
			t.Errorf("error/another file key: %v", err)
		}
	})
}

// S-074: uses are counted before they are made, also when a process dies, and a
// key that is used up is followed by another.
func TestKeyUses(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		path := f.keyFile(t)
		make := func(n int) error {
			for range n {
				if err := f.act(t, here, func(ctx context.Context) error { _, err := f.NewPersonKey(ctx, here); return err }); err != nil {
					return err
				}
			}
			return nil
		}
		total := 0
		for _, n := range []int{1, 3, 7} { // three processes that never close the book
			if err := make(n); err != nil {
				t.Fatal(err)
			}
			total += n
			if uses := f.dataKeys(t, seal.Wrap)[0].Uses; uses < int64(total) {
				t.Errorf("%d boxes, %d uses counted", total, uses)
			}
			f.restart(t, path)
		}
		f.bring(t, vaccination.Subjects, sample(t, "subjects.csv"))
		before := f.dataKeys(t, seal.Wrap)[0].Uses
		if boxes := f.rows(t, here, "person_keys"); before < boxes {
			t.Errorf("%d boxes, %d uses counted", boxes, before)
		}
		if err := f.owner(t).enact(t.Context(), here, func(ctx context.Context) error {
			db, err := act(ctx, here)
			if err != nil {
				return err
			}
			return db.Model(&dataKeyRow{}).Where("office = ? AND purpose = 'wrap'", here).Update("uses", int64(seal.MaxUses)-1).Error
		}); err != nil {
			t.Fatal(err)
		}
		f.restart(t, path)
		if err := make(1); err != nil {
			t.Fatal(err)
		}
		keys := f.dataKeys(t, seal.Wrap)
		if len(keys) != 2 || keys[0].State != seal.Old || keys[0].Uses > seal.MaxUses || keys[1].State != seal.Active {
			t.Errorf("used up: %+v", keys)
		}
		if heads := f.heads(t, "person_keys", "wrapped"); heads["wrap/2"] != 1 {
			t.Errorf("used up: %v", heads)
		}
		key := f.ring.Key(here, seal.Wrap).For(1)
		if _, _, err := key.NewKey(seal.PersonPlace(here, "x")); err != nil {
			t.Errorf("ok/last use: %v", err)
		}
		if _, _, err := key.NewKey(seal.PersonPlace(here, "x")); !errors.Is(err, seal.ErrUsedUp) {
			t.Errorf("error/beyond the last use: %v", err)
		}
	})
}

// What was sealed before there were data keys stays readable and is brought to
// them; then the file key alone opens nothing of it.
func TestBeforeDataKeys(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		path := f.keyFile(t)
		f.asBefore(t)
		f.bring(t, vaccination.Subjects, sample(t, "subjects.csv"))
		f.bring(t, vaccination.Records, sample(t, "records.csv"))
		i, err := f.imports().Stage(t.Context(), person("a"), vaccination.Records, sample(t, "records.csv"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.owner(t).enact(t.Context(), here, func(ctx context.Context) error {
			db, err := act(ctx, here)
			if err != nil {
				return err
			}
			return db.Where("office = ?", here).Delete(&dataKeyRow{}).Error
		}); err != nil {
			t.Fatal(err)
		}
		f.restart(t, path)
		zero := f.ring.KeeperID()
		if heads := f.heads(t, "person_keys", "wrapped"); heads[zero] != int(f.rows(t, here, "person_keys")) {
			t.Fatalf("the test has no old boxes: %v", heads)
		}
		f.whole(t, "ok/before")
		if n := f.bring(t, vaccination.Subjects, sample(t, "subjects.csv")).Outcome.New; n != 0 {
			t.Errorf("ok/same file again: %d new", n)
		}
		if _, err := f.custody(t, approvals{"numbers.rekey file-key": 1}).Rewrap(t.Context(), who(here)); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("error/file key changed while keys are derived from it: %v", err)
		}
		if done, err := f.custody(t, nil).Resume(t.Context(), who); err != nil || len(done) != 2 {
			t.Fatalf("ok/resume: %+v %v", done, err)
		}
		if _, err := f.custody(t, approvals{"numbers.rekey index": 1}).Rotate(t.Context(), who(here), seal.Index); err != nil {
			t.Fatal(err)
		}
		f.whole(t, "ok/after")
		for _, c := range sealedColumns[seal.Wrap] {
			if heads := f.heads(t, c.table, c.column); heads[zero] != 0 {
				t.Errorf("old boxes in %s: %v", c.table, heads)
			}
		}
		f.restart(t, path)
		if _, err := f.imports().Commit(t.Context(), person("b"), i.ID); err != nil {
			t.Errorf("ok/file staged before: %v", err)
		}
		if _, err := f.custody(t, approvals{"numbers.rekey file-key": 1}).Rewrap(t.Context(), who(here)); err != nil {
			t.Errorf("ok/file key changed: %v", err)
		}
		f.whole(t, "ok/after the file key")
	})
}

// asBefore makes the office's keys of version 0, derived from the file key.
func (f *fixture) asBefore(t *testing.T) {
	t.Helper()
	if err := f.enact(t.Context(), here, func(ctx context.Context) error {
		db, err := act(ctx, here)
		if err != nil {
			return err
		}
		for _, p := range []seal.Purpose{seal.Wrap, seal.Office, seal.Index} {
			if err := db.Create(f.newDataKeyRow(seal.DataKey{Office: here, Purpose: p, State: seal.Active})).Error; err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// stopping is a store whose process dies before or after the n-th step.
type stopping struct {
	*Store
	left int
}

var errStopped = errors.New("the process died")

func (s *stopping) step(do func() error) error {
	if s.left--; s.left < 0 {
		return errStopped
	}
	return do()
}

func (s *stopping) NextKey(ctx context.Context, office string, p seal.Purpose) (v int, err error) {
	return v, s.step(func() error { v, err = s.Store.NextKey(ctx, office, p); return err })
}

func (s *stopping) ActivateKey(ctx context.Context, office string, p seal.Purpose) error {
	return s.step(func() error { return s.Store.ActivateKey(ctx, office, p) })
}

func (s *stopping) Reseal(ctx context.Context, office string, p seal.Purpose, limit int) (done int, more bool, err error) {
	err = s.step(func() error { done, more, err = s.Store.Reseal(ctx, office, p, limit); return err })
	return done, more, err
}

func (s *stopping) RetireKey(ctx context.Context, office string, p seal.Purpose) (n, v int, err error) {
	err = s.step(func() error { n, v, err = s.Store.RetireKey(ctx, office, p); return err })
	return n, v, err
}

// S-074: a rotation that dies between any two steps goes on in another process;
// everybody is found and opened at every moment, and nothing of the old version
// is left at the end.
func TestRotate(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		path := f.keyFile(t)
		f.bring(t, vaccination.Subjects, sample(t, "subjects.csv"))
		f.bring(t, vaccination.Records, sample(t, "records.csv"))
		if _, err := f.custody(t, approvals{}).Rotate(t.Context(), who(here), seal.Wrap); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("error/no approval: %v", err)
		}
		if _, err := f.custody(t, approvals{}).Rotate(t.Context(), who(here), seal.Pepper); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("error/passwords: %v", err)
		}
		for _, p := range []seal.Purpose{seal.Wrap, seal.Index, seal.Office} {
			first := f.dataKeys(t, p)[0]
			stops := 0
			a := approvals{"numbers.rekey " + string(p): 100} // one that is rolled back with its act was not used
			for n := 0; ; n++ {
				f.restart(t, path)
				c := f.custody(t, a)
				c.Store = &stopping{f.Store, n % 3} // at most two steps each time
				if n > 100 {
					t.Fatal("never done")
				}
				r, err := c.Rotate(t.Context(), who(here), p)
				f.whole(t, fmt.Sprintf("%s, stop %d", p, n))
				if p == seal.Index && n == 3 { // three of twelve people have the new search keys
					if o := f.bring(t, vaccination.Subjects, sample(t, "subjects.csv")).Outcome; o.New+o.Changed != 0 {
						t.Errorf("ok/same file while search keys change: %+v", o)
					}
				}
				if err == nil {
					if r.Version != 2 || r.Retired != 1 {
						t.Errorf("%s: %+v", p, r)
					}
					break
				}
				if !errors.Is(err, errStopped) {
					t.Fatalf("%s: %v", p, err)
				}
				stops++
			}
			if p != seal.Office && stops < 6 {
				t.Errorf("%s: stopped %d times only", p, stops)
			}
			keys := f.dataKeys(t, p)
			if len(keys) != 2 || keys[0].State != seal.Retired || keys[0].Wrapped != nil || keys[1].State != seal.Active || bytes.Equal(keys[1].Wrapped, first.Wrapped) {
				t.Errorf("%s: %+v", p, keys)
			}
			for _, c := range sealedColumns[p] {
				if heads := f.heads(t, c.table, c.column); len(heads) > 1 || heads[string(p)+"/1"] != 0 {
					t.Errorf("%s: %v in %s", p, heads, c.table)
				}
			}
			var begun int64
			if err := f.look(t.Context(), here, func(db *gorm.DB) error {
				return db.Table("log").Where("office = ? AND action = 'seal.rotate' AND object = ? AND result = 'ok'", here, string(p)).Count(&begun).Error
			}); err != nil || begun != 1 {
				t.Errorf("%s: begun %d times, %v", p, begun, err)
			}
		}
		f.restart(t, path)
		f.whole(t, "ok/after all")
		keys := f.rows(t, here, "person_keys")
		if o := f.bring(t, vaccination.Records, sample(t, "records.csv")).Outcome; o.New+o.Changed+o.Orphans != 0 {
			t.Errorf("ok/same file after all: %+v", o)
		}
		if n := f.rows(t, here, "person_keys"); n != keys {
			t.Errorf("error/same file after all: %d new persons' keys", n-keys)
		}
	})
}

// A process that has not seen a rotation opens what the new version has sealed,
// and its own boxes are not lost.
func TestRotateBesideAnother(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		path := f.keyFile(t)
		f.bring(t, vaccination.Subjects, sample(t, "subjects.csv"))
		f.bring(t, vaccination.Records, sample(t, "records.csv"))
		f.whole(t, "ok/first")
		first := f.Store
		f.restart(t, path)
		c := f.custody(t, approvals{"numbers.rekey wrap": 1})
		beside := 0
		c.Settle = func(context.Context) error { // the other process seals with what it knows
			second := f.Store
			f.Store, f.log.Book = first, first
			defer func() { f.Store, f.log.Book = second, second }()
			beside++
			return f.act(t, here, func(ctx context.Context) error { _, err := f.NewPersonKey(ctx, here); return err })
		}
		c.Store = &late{Store: f.Store, after: func() error { return c.Settle(t.Context()) }}
		if _, err := c.Rotate(t.Context(), who(here), seal.Wrap); err != nil {
			t.Fatal(err)
		}
		if heads := f.heads(t, "person_keys", "wrapped"); len(heads) != 1 || heads["wrap/2"] != 12+beside {
			t.Errorf("%d made beside: %v", beside, heads)
		}
		f.Store, f.log.Book = first, first
		f.whole(t, "ok/other process")
	})
}

// late lets something happen between the sweep and the first look whether it was whole.
type late struct {
	*Store
	after func() error
	done  bool
}

func (s *late) Reseal(ctx context.Context, office string, p seal.Purpose, limit int) (done int, more bool, err error) {
	done, more, err = s.Store.Reseal(ctx, office, p, limit)
	if err == nil && !more && !s.done {
		s.done = true
		err = s.after()
	}
	return done, more, err
}

// "rewrap": the old file key opens nothing any more, also when the process dies
// before the new file has its name.
func TestRewrap(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		path := f.keyFile(t)
		f.bring(t, vaccination.Subjects, sample(t, "subjects.csv"))
		f.bring(t, vaccination.Records, sample(t, "records.csv"))
		kept := filepath.Join(t.TempDir(), "seal.key") // somebody has a copy of the old file
		text, err := os.ReadFile(path)
		if err := errors.Join(err, os.WriteFile(kept, text, 0o600)); err != nil {
			t.Fatal(err)
		}
		running := f.Store
		if _, err := f.custody(t, approvals{}).Rewrap(t.Context(), who(here)); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("error/no approval: %v", err)
		}
		f.restart(t, path)
		c := f.custody(t, approvals{"numbers.rekey file-key": 1})
		c.Store = dying{f.Store}
		if _, err := c.Rewrap(t.Context(), who(here)); !errors.Is(err, errStopped) {
			t.Fatalf("stop: %v", err)
		}
		f.restart(t, path) // brings the new file to its name
		f.whole(t, "ok/after a stop")
		old, err := seal.OpenFile(kept, false)
		if err != nil {
			t.Fatal(err)
		}
		before := f.config
		before.Ring = old
		if _, err := Open(t.Context(), before); !errors.Is(err, ErrForeignKey) {
			t.Errorf("error/old file key: %v", err)
		}
		for _, p := range seal.Purposes() {
			if err := old.Load(here, f.dataKeys(t, p), f.now); !errors.Is(err, seal.ErrForeignKeeper) {
				t.Errorf("error/old file key unwraps %s: %v", p, err)
			}
		}
		for _, k := range f.dataKeys(t, seal.Wrap) {
			if id, _, _ := seal.KeyID(k.Wrapped); id != f.ring.KeeperID() {
				t.Errorf("%s wrapped by %s", k.ID(), id)
			}
		}
		// A process that runs since before makes the keys of a new office with the new file key.
		f.Store, f.log.Book = running, running
		f.whole(t, "ok/running process")
		if err := f.act(t, there, func(ctx context.Context) error { _, err := f.NewPersonKey(ctx, there); return err }); err != nil {
			t.Fatal(err)
		}
		f.restart(t, path)
		keys, err := f.DataKeys(t.Context(), there)
		if err != nil || len(keys) == 0 {
			t.Fatal(err)
		}
		for _, k := range keys {
			if id, _, _ := seal.KeyID(k.Wrapped); id != f.ring.KeeperID() {
				t.Errorf("error/%s of a new office wrapped by the old file key", k.ID())
			}
		}
	})
}

// dying is a store whose process dies before the next file key has its name.
type dying struct{ *Store }

func (dying) FollowRing(*seal.Ring) error { return errStopped }
