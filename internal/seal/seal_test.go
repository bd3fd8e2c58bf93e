package seal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// S-073: a box opens only at its own place and with its own key.
func TestPlace(t *testing.T) {
	ring := NewRing()
	key, wrapped, err := ring.NewPerson("900001", "p1")
	if err != nil {
		t.Fatal(err)
	}
	at := Place{"900001", "persons", "data", "r1", 1}
	box := key.Seal(at, []byte("山田"))
	again, err := ring.Person("900001", "p1", wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := again.Open(at, box); err != nil || string(plain) != "山田" {
		t.Fatalf("ok/same place: %q %v", plain, err)
	}
	for name, other := range map[string]Place{
		"office":  {"900002", "persons", "data", "r1", 1},
		"table":   {"900001", "doses", "data", "r1", 1},
		"column":  {"900001", "persons", "name", "r1", 1},
		"row":     {"900001", "persons", "data", "r2", 1},
		"version": {"900001", "persons", "data", "r1", 2},
		"shifted": {"900001p", "ersons", "data", "r1", 1},
	} {
		if _, err := key.Open(other, box); !errors.Is(err, ErrOpen) {
			t.Errorf("error/%s: opened", name)
		}
	}
	if _, err := ring.Person("900002", "p1", wrapped); err == nil {
		t.Error("error/key of another office unwrapped")
	}
	for i := range box {
		changed := bytes.Clone(box)
		changed[i] ^= 1
		if _, err := key.Open(at, changed); err == nil {
			t.Errorf("error/byte %d changed: opened", i)
		}
	}
	for n := range box {
		if _, err := key.Open(at, box[:n]); err == nil {
			t.Errorf("error/cut at %d: opened", n)
		}
	}
}

// S-075: keyed, per office and per kind.
func TestIndex(t *testing.T) {
	a := NewRing()
	base := a.Index("900001", "ticket", "0000012345")
	if !bytes.Equal(base, a.Index("900001", "ticket", "0000012345")) || len(base) != 16 {
		t.Fatal("not stable")
	}
	for name, other := range map[string][]byte{
		"office": a.Index("900010", "ticket", "0000012345"),
		"kind":   a.Index("900001", "address", "0000012345"),
		"value":  a.Index("900001", "ticket", "0000012346"),
		"ring":   NewRing().Index("900001", "ticket", "0000012345"),
	} {
		if bytes.Equal(base, other) {
			t.Errorf("error/%s: same index", name)
		}
	}
}

// A database knows the ring that it was sealed with.
func TestProof(t *testing.T) {
	a := NewRing()
	if !a.Proves(a.Proof()) {
		t.Error("ok/own proof refused")
	}
	if a.Proves(NewRing().Proof()) || a.Proves(nil) || a.Proves([]byte("x")) {
		t.Error("error/another ring's proof accepted")
	}
}

func TestOpenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seal.key")
	if _, err := OpenFile(path, false); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("error/absent: %v", err)
	}
	a, err := OpenFile(path, true)
	if err != nil {
		t.Fatal(err)
	}
	late, err := OpenFile(path, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("ok/nothing is written before it is kept: %v", err)
	}
	if err := errors.Join(a.Keep(), a.Keep(), late.Keep()); err != nil || !bytes.Equal(a.file.master, late.file.master) {
		t.Fatalf("ok/two at once: %v", err)
	}
	b, err := OpenFile(path, true)
	if err != nil || !bytes.Equal(a.file.master, b.file.master) || a.file.id != b.file.id {
		t.Fatalf("ok/second start: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFile(path, true); err == nil {
		t.Error("error/readable by others: accepted")
	}
}
