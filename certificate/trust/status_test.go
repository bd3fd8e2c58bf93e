package trust

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/mod/sumdb/note"

	"akashi/certificate"
)

type noteKey struct {
	signer note.Signer
	public string
}

func newNoteKey(t testing.TB) noteKey {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, "issuer.example/status-list")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return noteKey{signer, public}
}

func (k noteKey) sign(t testing.TB, text string) string {
	t.Helper()
	signed, err := note.Sign(&note.Note{Text: text}, k.signer)
	if err != nil {
		t.Fatal(err)
	}
	return string(signed)
}

func (k noteKey) head(t testing.TB, e StatusEdition) string {
	return k.sign(t, "issuer.example/status-list\n"+e.Head())
}

var listTime = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

func seed(b byte) [sha256.Size]byte { return [sha256.Size]byte{b} }

// S-069: a list knows revoked from superseded, by family; it has one length for any
// number of codes up to the next step, and two editions have nothing in common.
func TestStatusList(t *testing.T) {
	k := newNoteKey(t)
	codes := []EndedCode{{certificate.SHC, "AAAAAAAAAAA", Revoked}, {certificate.VDSNC, "23456789ABCD", Superseded}}
	e := MakeStatus(7, listTime, codes, seed(1))
	l, err := OpenStatus(k.public, k.head(t, e), e.Marks, []string{"key"})
	if err != nil || l.Version != 7 || !l.MadeAt.Equal(listTime) {
		t.Fatalf("%v %v", l, err)
	}
	for _, c := range []struct {
		family certificate.Family
		id     string
		want   Ended
	}{
		{certificate.SHC, "AAAAAAAAAAA", Revoked}, {certificate.VDSNC, "23456789ABCD", Superseded},
		{certificate.VDSNC, "AAAAAAAAAAA", ""}, {certificate.SHC, "AAAAAAAAAAB", ""}, {certificate.SHC, "", ""},
	} {
		if got := l.Why(c.family, c.id); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.family, c.id, got, c.want)
		}
	}
	for n, want := range map[int]int{0: LeastMarks, 1: LeastMarks, LeastMarks - 1: LeastMarks, LeastMarks: 2 * LeastMarks} {
		var many []EndedCode
		for i := range n {
			many = append(many, EndedCode{certificate.SHC, fmt.Sprint(i), Revoked})
		}
		e := MakeStatus(1, listTime, many, seed(2))
		if got := len(e.Marks) / MarkSize; got != want {
			t.Errorf("%d codes: %d marks, want %d", n, got, want)
		}
		if strings.Contains(e.Head(), fmt.Sprintf(" %d\n", n)) && n > 1 && n != want {
			t.Errorf("the head of %d codes tells how many", n)
		}
	}
	other := MakeStatus(8, listTime, codes, seed(3))
	known := map[string]bool{}
	for i := 0; i < len(e.Marks); i += MarkSize {
		known[string(e.Marks[i:i+MarkSize])] = true
	}
	for i := 0; i < len(other.Marks); i += MarkSize {
		if known[string(other.Marks[i:i+MarkSize])] {
			t.Error("two editions have a mark in common")
		}
	}
	if bytes.Contains(e.Marks, []byte("AAAA")) {
		t.Error("a list names a code")
	}
}

// S-069: a list that is forged, cut, of another edition or of another key is refused.
func TestRefusedStatus(t *testing.T) {
	k, other := newNoteKey(t), newNoteKey(t)
	e, newer := MakeStatus(7, listTime, nil, seed(1)), MakeStatus(8, listTime, nil, seed(2))
	good := k.head(t, e)
	flipped := bytes.Clone(e.Marks)
	flipped[100] ^= 1
	text := "issuer.example/status-list\n" + e.Head()
	for name, c := range map[string]struct {
		key, head string
		marks     []byte
		want      string
	}{
		"other key":      {other.public, good, e.Marks, "not_signed"},
		"forged":         {k.public, strings.Replace(good, "version 7", "version 9", 1), e.Marks, "not_signed"},
		"half":           {k.public, good, e.Marks[:len(e.Marks)/2], "not_this_list"},
		"empty":          {k.public, good, nil, "not_this_list"},
		"changed":        {k.public, good, flipped, "not_this_list"},
		"other edition":  {k.public, good, newer.Marks, "not_this_list"},
		"no key":         {"x", good, e.Marks, "wrong_key"},
		"other origin":   {k.public, k.sign(t, "other\n"+e.Head()), e.Marks, "wrong_head"},
		"no version":     {k.public, k.sign(t, strings.Replace(text, "version 7", "version 0", 1)), e.Marks, "wrong_head"},
		"no time":        {k.public, k.sign(t, strings.Replace(text, "time 2026", "time x", 1)), e.Marks, "wrong_head"},
		"short salt":     {k.public, k.sign(t, strings.Replace(text, "salt ", "salt 00\n", 1)), e.Marks, "wrong_head"},
		"wrong count":    {k.public, k.sign(t, strings.Replace(text, "marks 4096", "marks 2048", 1)), e.Marks, "not_this_list"},
		"negative count": {k.public, k.sign(t, strings.Replace(text, "marks 4096", "marks -1", 1)), e.Marks, "wrong_head"},
		"nothing signed": {k.public, "", e.Marks, "not_signed"},
		"long head":      {k.public, strings.Repeat("x", maxHead+1), e.Marks, "too_large"},
	} {
		if _, err := OpenStatus(c.key, c.head, c.marks, nil); err == nil || err.Error() != c.want {
			t.Errorf("error/%s: %v, want %s", name, err, c.want)
		}
	}
	old, _ := OpenStatus(k.public, good, e.Marks, nil)
	l, err := OpenStatus(k.public, k.head(t, newer), newer.Marks, nil)
	if err != nil || !old.Older(l) || l.Older(old) || l.Older(l) || l.Older(nil) {
		t.Errorf("which is older: %v", err)
	}
	again := MakeStatus(8, listTime, nil, seed(9))
	if twin, err := OpenStatus(k.public, k.head(t, again), again.Marks, nil); err != nil || !twin.Older(l) {
		t.Errorf("error/another list of the same version is taken: %v", err)
	}
}

// S-069: a directory whose list is cut says that it should have one; a newer list
// in it is kept.
func TestStatusDirectory(t *testing.T) {
	k := newNoteKey(t)
	bundle := func(version int64, s byte) *Bundle {
		e := MakeStatus(version, listTime, []EndedCode{{certificate.VDSNC, "23456789ABCD", Revoked}}, seed(s))
		l, err := OpenStatus(k.public, k.head(t, e), e.Marks, []string{"key"})
		if err != nil {
			t.Fatal(err)
		}
		return (&Bundle{madeAt: listTime}).WithStatus(l)
	}
	dir := t.TempDir()
	load := func() (*Bundle, Report) {
		t.Helper()
		b, report, err := Load(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		return b, report
	}
	for _, b := range []*Bundle{bundle(7, 1), bundle(8, 2)} {
		if err := b.Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := bundle(7, 1).Write(dir); err != ErrOlder {
		t.Errorf("error/older: %v", err)
	}
	if b, report := load(); len(report) > 0 || b.Status("key").Version != 8 || b.Status("other") != nil || b.Status("key").Why(certificate.VDSNC, "23456789ABCD") != Revoked {
		t.Errorf("ok/the newer is kept: %v", report)
	}
	files, err := bundle(9, 3).Files()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if filepath.Ext(name) != ".marks" && filepath.Ext(name) != ".head" {
			continue
		}
		for what, bad := range map[string][]byte{"half": content[:len(content)/2], "empty": {}} {
			set := fstest.MapFS{}
			for n, c := range files {
				set[n] = &fstest.MapFile{Data: c}
			}
			set[name] = &fstest.MapFile{Data: bad}
			b, report, err := Load(set)
			if err != nil || len(report) != 1 || b.Status("key") == nil || b.Status("key").Marks != nil {
				t.Errorf("error/%s %s: %v %v", what, name, report, err)
			}
		}
	}
}

// Issue 5, measured: a list of 1,000,000 ended codes among 100,000,000 has 8 MiB, and
// strikes none of the others.
func TestStatusSize(t *testing.T) {
	const ended = 1_000_000
	codes := make([]EndedCode, ended)
	for i := range codes {
		codes[i] = EndedCode{certificate.SHC, fmt.Sprintf("%011d", i), Revoked}
	}
	e := MakeStatus(1, listTime, codes, seed(1))
	if len(e.Marks) != 8<<20 {
		t.Errorf("%d bytes", len(e.Marks))
	}
	l := &StatusList{Marks: e.Marks, salt: e.Salt[:]}
	for i := range 20_000 {
		n := i * 5000 // of 100,000,000: the first two hundred are ended
		if got, want := l.Why(certificate.SHC, fmt.Sprintf("%011d", n)), n < ended; (got == Revoked) != want {
			t.Fatalf("%d: %q", n, got)
		}
	}
}
