package backup

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"
	"time"

	"filippo.io/age"
)

func identity(t *testing.T) *age.X25519Identity {
	t.Helper()
	i, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return i
}

var rows = [][]any{
	{"900001", int64(9007199254740993), true, []byte{0, 255}, nil},
	{"桜\u0000\"<\n", int64(-1), false, []byte{}, "x"},
}

func part(t *testing.T, to age.Recipient, repeat int) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := NewWriter(&file, Header{Part: Data, Program: "test", Schema: 3, MadeAt: time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)}, to)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(w.Begin("first", []string{"a", "b", "c", "d", "e"}))
	for range repeat {
		err = errors.Join(err, w.Row(rows[0]), w.Row(rows[1]))
	}
	err = errors.Join(err, w.Keys(), w.Begin("empty", []string{"a"}))
	m, closed := w.Close()
	if err := errors.Join(err, closed); err != nil {
		t.Fatal(err)
	}
	if m.Rows("first") != 2*repeat || m.Rows("empty") != 0 || len(m.Tables) != 2 {
		t.Fatalf("manifest %+v", m)
	}
	return file.Bytes()
}

// S-078: what comes out is what went in, of every type, also over several entries.
func TestRoundTrip(t *testing.T) {
	key := identity(t)
	const repeat = 20_000
	r, err := NewReader(bytes.NewReader(part(t, key.Recipient(), repeat)), key)
	if err != nil {
		t.Fatal(err)
	}
	var read [][]any
	var order []string
	for {
		c, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if c.Keys {
			c.Table = "keys"
		}
		order = append(order, c.Table)
		read = append(read, c.Rows...)
	}
	if len(read) != 2*repeat || !reflect.DeepEqual(read[2*repeat-2:], rows) {
		t.Errorf("ok/rows: %d, the last %#v", len(read), read[max(0, len(read)-2):])
	}
	if n := len(order); n < 4 || order[n-1] != "empty" || order[n-2] != "keys" || order[0] != "first" {
		t.Errorf("ok/order: %v", order)
	}
	if m, err := r.Manifest(); err != nil || m.Schema != 3 || m.Rows("first") != 2*repeat {
		t.Errorf("ok/manifest: %+v %v", m, err)
	}
}

// S-078: a part that was cut or changed anywhere, or is for another key, is refused.
func TestRefused(t *testing.T) {
	key := identity(t)
	whole := part(t, key.Recipient(), 10)
	if _, err := Check(bytes.NewReader(whole), key); err != nil {
		t.Fatalf("ok/whole: %v", err)
	}
	if _, err := Check(bytes.NewReader(whole), identity(t)); !errors.Is(err, ErrKey) {
		t.Errorf("error/other key: %v", err)
	}
	for n := 0; n < len(whole); n += 97 {
		if _, err := Check(bytes.NewReader(whole[:n]), key); !errors.Is(err, ErrDamaged) {
			t.Errorf("error/cut at %d: %v", n, err)
		}
		changed := bytes.Clone(whole)
		changed[n] ^= 1
		if _, err := Check(bytes.NewReader(changed), key); err == nil {
			t.Errorf("error/changed at %d: taken", n)
		}
	}
	if _, err := Check(bytes.NewReader(append(bytes.Clone(whole), 0)), key); !errors.Is(err, ErrDamaged) {
		t.Errorf("error/longer: %v", err)
	}
	if bytes.Contains(whole, []byte("900001")) {
		t.Error("error/plain text")
	}
}

// The manifest counts for more than the encryption: who has the public key can make
// a part, but not one that says another thing than its rows.
func TestManifest(t *testing.T) {
	key := identity(t)
	for name, spoil := range map[string]func(*Manifest){
		"rows": func(m *Manifest) { m.Tables[0].Rows++ },
		"hash": func(m *Manifest) { m.Tables[0].SHA256 = m.Tables[1].SHA256 },
		"less": func(m *Manifest) { m.Tables = m.Tables[:1] },
		"head": func(m *Manifest) { m.Schema++ },
		"none": nil,
	} {
		var file bytes.Buffer
		w, err := NewWriter(&file, Header{Part: Data, Schema: 1}, key.Recipient())
		err = errors.Join(err, w.Begin("first", []string{"a"}), w.Row([]any{"x"}), w.Begin("second", []string{"a"}), w.end())
		if spoil != nil {
			spoil(&w.manifest)
			_, closed := w.Close()
			err = errors.Join(err, closed)
		} else {
			err = errors.Join(err, w.tar.Close(), w.age.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Check(&file, key); !errors.Is(err, ErrDamaged) {
			t.Errorf("error/%s: %v", name, err)
		}
	}
}
