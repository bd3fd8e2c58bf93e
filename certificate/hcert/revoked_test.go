package hcert

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

func marksOf(n int, text string) (marks []Mark) {
	for i := range n {
		sum := sha256.Sum256([]byte(fmt.Sprintf(text, i)))
		marks = append(marks, Mark(sum[:16]))
	}
	return marks
}

// Spec eu-dcc, 12: the bytes of a filter and of a list of hashes, as another program
// computed them by the text of the specification.
func TestRevocationBytes(t *testing.T) {
	marks := marksOf(3, "URN:UVCI:01:UT:%d")
	f, err := NewFilter(3, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range marks {
		f.Add(m)
	}
	if b, err := f.MarshalBinary(); err != nil || hex.EncodeToString(b) != "000107003c23d70a000000030000000300000001354944ba" {
		t.Errorf("ok/filter: %x %v", b, err)
	}
	l, err := NewHashList(marks, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := l.MarshalBinary(); err != nil || hex.EncodeToString(b) != "00013c23d70a00000003020ebe3e57d7b0" {
		t.Errorf("ok/hash list: %x %v", b, err)
	}
}

// What was put in is always found; what was not is found about as often as was asked.
func TestRevocationLists(t *testing.T) {
	const n = 20_000
	marks, others := marksOf(n, "in %d"), marksOf(n, "out %d")
	for _, p := range []float64{0.1, 0.001} {
		f, err := NewFilter(n, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range marks {
			f.Add(m)
		}
		l, err := NewHashList(marks, p)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := f.MarshalBinary()
		if f, err = ParseFilter(b); err != nil || f.Used != n {
			t.Fatal(err)
		}
		b, _ = l.MarshalBinary()
		if l, err = ParseHashList(b); err != nil {
			t.Fatal(err)
		}
		wrong := [2]int{}
		for i := range n {
			if !f.Has(marks[i]) || !l.Has(marks[i]) {
				t.Fatalf("error/%g: a mark is lost", p)
			}
			if f.Has(others[i]) {
				wrong[0]++
			}
			if l.Has(others[i]) {
				wrong[1]++
			}
		}
		if most := int(p*n*1.5) + 5; wrong[0] > most || wrong[1] > most {
			t.Errorf("error/%g: wrong about %v of %d", p, wrong, n)
		}
	}
	if _, err := NewHashList(make([]Mark, 1_000_000), 1e-7); err != nil { // six bytes of each
		t.Errorf("ok/a million: %v", err)
	}
	tooMany := make([]Mark, maxFilter/5+1)
	for name, make := range map[string]func() error{
		"error/too many": func() error { _, err := NewHashList(tooMany, 1e-4); return err },
		"error/no marks": func() error { _, err := NewFilter(0, 0.1); return err }, "error/p of 0": func() error { _, err := NewFilter(1, 0); return err },
		"error/p of 1": func() error { _, err := NewHashList(marks, 1); return err }, "error/too large": func() error { _, err := NewFilter(1<<30, 0.001); return err },
	} {
		if make() == nil {
			t.Error(name)
		}
	}
}

// A batch of the gateway: written, read, of at most 1,000.
func TestBatch(t *testing.T) {
	made := Batch{Country: "UT", Expires: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), KeyID: []byte("12345678"), Type: MarkOfID, Marks: marksOf(1000, "%d")}
	text, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	read, err := ParseBatch(text)
	if err != nil || len(read.Marks) != 1000 || !bytes.Equal(read.KeyID, made.KeyID) || !read.Expires.Equal(made.Expires) {
		t.Fatalf("ok/read: %v", err)
	}
	for _, m := range made.Marks {
		if !read.Has(m) {
			t.Fatal("ok/a mark is lost")
		}
	}
	if read.Has(marksOf(1, "other %d")[0]) {
		t.Error("error/a mark that is not there")
	}
	made.Marks = marksOf(1001, "%d")
	if _, err := json.Marshal(made); err == nil {
		t.Error("error/too many")
	}
	for name, change := range map[string][2]string{
		"error/type": {`"UCI"`, `"X"`}, "error/key": {`"kid":"`, `"kid":"*`}, "error/short": {`"hash":"`, `"hash":"AAAA`}, "error/twice": {`{"country"`, `{"kid":"AA==","country"`},
	} {
		if _, err := ParseBatch(bytes.Replace(text, []byte(change[0]), []byte(change[1]), 1)); err == nil {
			t.Error(name)
		}
	}
}

// The marks of a code, of each type (spec eu-dcc, 12).
func TestMarks(t *testing.T) {
	c := &Code{Algorithm: ES256, Signature: bytes.Repeat([]byte{1, 2}, 32), DCC: &DCC{ID: "URN:UVCI:01:UT:X#1"}}
	c.Issuer = "UT"
	of := func(b []byte) Mark { s := sha256.Sum256(b); return Mark(s[:16]) }
	for typ, want := range map[MarkType]Mark{
		MarkOfID: of([]byte("URN:UVCI:01:UT:X#1")), MarkOfCountryID: of([]byte("UTURN:UVCI:01:UT:X#1")), MarkOfSignature: of(c.Signature[:32]),
	} {
		if got := c.MarkOf(typ); got != want {
			t.Errorf("%s: %x", typ, got)
		}
	}
	c.Algorithm = PS256
	if c.MarkOf(MarkOfSignature) != of(c.Signature) {
		t.Error("ok/PS256: the whole signature")
	}
}

func FuzzParseFilter(f *testing.F) {
	filter, _ := NewFilter(3, 0.01)
	b, _ := filter.MarshalBinary()
	f.Add(b)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if read, err := ParseFilter(b); err == nil {
			read.Has(Mark{})
			if again, err := read.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
				t.Errorf("%x became %x %v", b, again, err)
			}
		}
	})
}

func FuzzParseHashList(f *testing.F) {
	list, _ := NewHashList(marksOf(5, "%d"), 0.01)
	b, _ := list.MarshalBinary()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if read, err := ParseHashList(b); err == nil {
			read.Has(Mark{1})
			if again, err := read.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
				t.Errorf("%x became %x %v", b, again, err)
			}
		}
	})
}

func FuzzParseBatch(f *testing.F) {
	text, _ := json.Marshal(Batch{Country: "UT", Type: MarkOfID, Marks: marksOf(2, "%d")})
	f.Add(text)
	f.Fuzz(func(_ *testing.T, b []byte) {
		if read, err := ParseBatch(b); err == nil {
			read.Has(Mark{})
		}
	})
}
