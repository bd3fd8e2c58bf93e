package seal

import (
	"bytes"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const code = "900001"

var read = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// attached is a ring whose keys are rows, with one active version for each purpose.
func attached(t *testing.T) (*Ring, map[Purpose]DataKey) {
	t.Helper()
	r := NewRing()
	r.Attach()
	keys := map[Purpose]DataKey{}
	var list []DataKey
	for _, p := range Purposes() {
		d, err := r.NewDataKey(code, p, 1, Active)
		if err != nil {
			t.Fatal(err)
		}
		keys[p], list = d, append(list, d)
	}
	if err := r.Load(code, list, read); err != nil {
		t.Fatal(err)
	}
	return r, keys
}

func grant(r *Ring, n int64) {
	for _, p := range Purposes() {
		r.Grant(code, p, 1, n)
	}
}

// with returns the keys with some of them replaced or added.
func with(keys map[Purpose]DataKey, more ...DataKey) (list []DataKey) {
	for _, d := range keys {
		replaced := false
		for _, m := range more {
			replaced = replaced || m.Purpose == d.Purpose && m.Version == d.Version
		}
		if !replaced {
			list = append(list, d)
		}
	}
	return append(list, more...)
}

// An office whose keys are rows never falls back to what the file key derives.
func TestAttached(t *testing.T) {
	r := NewRing()
	if _, err := r.Office(code).open(r.Office(code).Seal(at("a"), []byte("x"))); err != nil {
		t.Errorf("ok/before rows: %v", err)
	}
	r.Attach()
	defer func() {
		if recover() != ErrNotReady {
			t.Error("error/no keys loaded: version 0 is used")
		}
	}()
	r.Office(code)
}

func at(row string) Place { return Place{Office: code, Table: "t", Column: "c", Row: row} }

// open opens at the usual place.
func (k Key) open(box []byte) ([]byte, error) { return k.Open(at("a"), box) }

// Ready means read of late, with an active version that may still seal half a block.
func TestReady(t *testing.T) {
	r, _ := attached(t)
	before, after := read.Add(-time.Second), read.Add(time.Second)
	if r.Ready(code, before) {
		t.Error("error/no uses granted")
	}
	grant(r, Block/2)
	if !r.Ready(code, before) || r.Ready(code, after) || r.Ready("900010", before) {
		t.Error("ok/granted")
	}
	r.Office(code).Seal(at("a"), []byte("x"))
	if r.Ready(code, before) || r.Left(code, Office) != Block/2-1 || r.Left(code, Wrap) != Block/2 || r.Left("900010", Wrap) != 0 {
		t.Errorf("ok/used once: %d left", r.Left(code, Office))
	}
	grant(r, 1)
	if !r.Ready(code, before) {
		t.Error("ok/granted again")
	}
	r.Stale(code)
	if r.Ready(code, before) {
		t.Error("error/stale")
	}
	if r.Left(code, Office) != Block/2 {
		t.Error("error/stale keys are gone, and acts under way with them")
	}
}

// S-074: a version seals as often as was granted; at once over many goroutines.
func TestUsedUp(t *testing.T) {
	r, _ := attached(t)
	grant(r, 100)
	var all sync.WaitGroup
	var mu sync.Mutex
	refused := 0
	for range 130 {
		all.Go(func() {
			if _, _, err := r.NewPerson(code, "p"); errors.Is(err, ErrUsedUp) {
				mu.Lock()
				refused++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if refused != 30 {
		t.Errorf("error/%d of 130 were refused with 100 uses", refused)
	}
}

// A rotation: the next version is known before it is used, then seals, while the
// old one opens and finds until it is retired.
func TestVersions(t *testing.T) {
	r, keys := attached(t)
	grant(r, Block)
	_, old, err := r.NewPerson(code, "p")
	if err != nil {
		t.Fatal(err)
	}
	index := r.Index(code, "ticket", "1")
	load := func(states map[int]State) {
		t.Helper()
		var more []DataKey
		for _, p := range []Purpose{Wrap, Index} {
			for version, state := range states {
				d := keys[p]
				if version > 1 {
					var err error
					if d, err = r.NewDataKey(code, p, version, state); err != nil {
						t.Fatal(err)
					}
					for _, h := range r.loaded(code).keys[p] { // a row is made once
						if h.Version == version {
							d = h.DataKey
						}
					}
				}
				d.State = state
				more = append(more, d)
			}
		}
		if err := r.Load(code, with(keys, more...), read); err != nil {
			t.Fatal(err)
		}
	}
	opens := func(box []byte) bool { _, err := r.Person(code, "p", box); return err == nil }
	load(map[int]State{1: Active, 2: Next})
	if len(r.Indexes(code, Index, "ticket", "1")) != 2 || !bytes.Equal(r.Index(code, "ticket", "1"), index) || !opens(old) {
		t.Error("ok/next: not looked for yet, or used too early")
	}
	if r.Left(code, Wrap) != Block-1 {
		t.Errorf("error/uses left are forgotten by reading again: %d", r.Left(code, Wrap))
	}
	load(map[int]State{1: Old, 2: Active})
	r.Grant(code, Wrap, 2, 5)
	_, box, err := r.NewPerson(code, "p")
	if id, _, _ := KeyID(box); err != nil || id != "wrap/2" || !opens(box) || !opens(old) {
		t.Errorf("ok/active: %s %v", id, err)
	}
	if list := r.Indexes(code, Index, "ticket", "1"); len(list) != 2 || bytes.Equal(list[0], index) || !bytes.Equal(list[1], index) {
		t.Error("ok/active: the new one comes first")
	}
	load(map[int]State{1: Retired, 2: Active})
	if opens(old) || !opens(box) || len(r.Indexes(code, Index, "ticket", "1")) != 1 {
		t.Error("error/retired: it opens still")
	}
	if _, err := r.Person(code, "p", old); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("error/retired: %v", err)
	}
}

// A data key belongs to its office, purpose, version and file key; a row moved
// elsewhere opens nothing.
func TestLoadRefuses(t *testing.T) {
	r, keys := attached(t)
	foreign := NewRing()
	foreign.Attach()
	for name, c := range map[string]struct {
		ring   *Ring
		change func(*DataKey)
		want   error
	}{
		"another file key": {foreign, func(*DataKey) {}, ErrForeignKeeper},
		"another office":   {r, func(d *DataKey) { d.Office = "900010" }, ErrOpen},
		"another purpose":  {r, func(d *DataKey) { d.Purpose = Vault; d.Version = 7 }, ErrOpen},
		"another version":  {r, func(d *DataKey) { d.Version = 2 }, ErrOpen},
		"a flipped bit":    {r, func(d *DataKey) { d.Version = 3; d.Wrapped = bytes.Clone(d.Wrapped); d.Wrapped[len(d.Wrapped)-1] ^= 1 }, ErrOpen},
	} {
		d := keys[Wrap]
		c.change(&d)
		if err := c.ring.Load("900010", []DataKey{d}, read); !errors.Is(err, c.want) {
			t.Errorf("error/%s: %v", name, err)
		}
	}
}

// A new file key wraps the same data keys; the old one opens them no more, and who
// still runs with it finds the new one in the file.
func TestRewrapAndFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seal.key")
	r, err := OpenFile(path, true)
	if err == nil {
		err = r.Keep()
	}
	if err != nil {
		t.Fatal(err)
	}
	r.Attach()
	d, err := r.NewDataKey(code, Office, 1, Active)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Load(code, []DataKey{d}, read); err != nil {
		t.Fatal(err)
	}
	r.Grant(code, Office, 1, 9)
	box := r.Office(code).Seal(at("a"), []byte("secret"))
	other, err := OpenFile(path, false) // another process
	if err != nil {
		t.Fatal(err)
	}
	other.Attach()
	next, err := r.PrepareNext()
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := r.Rewrap(d, next)
	if again, err := r.Rewrap(DataKey{Office: code, Purpose: Office, Version: 1, Wrapped: wrapped}, next); err != nil || !bytes.Equal(again, wrapped) {
		t.Errorf("ok/again: %v", err)
	}
	if err != nil || bytes.Equal(wrapped, d.Wrapped) {
		t.Fatal(err)
	}
	d.Wrapped = wrapped
	if err := other.Load(code, []DataKey{d}, read); err != nil { // the new file has no name yet
		t.Errorf("ok/beside, before: %v", err)
	}
	if err := r.Follow(next); err != nil {
		t.Fatal(err)
	}
	if err := other.Load(code, []DataKey{d}, read); err != nil {
		t.Errorf("ok/beside, after: %v", err)
	}
	if text, err := other.Office(code).open(box); err != nil || string(text) != "secret" {
		t.Errorf("ok/opens: %q %v", text, err)
	}
	old := NewRing()
	old.file = &fileKey{id: "f0", master: make([]byte, keySize), key: r.file.key}
	if _, err := old.Rewrap(d, NewRing()); !errors.Is(err, ErrForeignKeeper) {
		t.Errorf("error/the old file key rewraps: %v", err)
	}
}
