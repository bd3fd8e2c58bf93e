package trust

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/mod/sumdb/note"

	"akashi/internal/testkit"
)

// curator signs bundles.
type curator struct {
	signer note.Signer
	public string
}

func newCurator(t testing.TB, name string) curator {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return curator{signer, public}
}

func (c curator) SignBundle(head string) (string, error) {
	signed, err := note.Sign(&note.Note{Text: c.signer.Name() + "\n" + head}, c.signer)
	return string(signed), err
}

func (c curator) Public() string { return c.public }

var made = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// bundleFiles are two lists of signers as parts of one bundle.
func bundleFiles(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for folder, list := range map[string]string{"chl": "v2_trustlist_PH4H_CHL.did.json", "xcl": "dev-v1-xcl.json"} {
		b, _, err := ImportGDHCN(document(t, list))
		if err != nil {
			t.Fatal(err)
		}
		of, err := b.Files()
		if err != nil {
			t.Fatal(err)
		}
		for name, content := range of {
			files[folder+"/"+name] = content
		}
	}
	whole, err := Whole([]string{"chl", "xcl"}, made)
	if err != nil {
		t.Fatal(err)
	}
	files["manifest.json"] = whole
	return files
}

func asFS(files map[string][]byte) fstest.MapFS {
	out := fstest.MapFS{}
	for name, content := range files {
		out[name] = &fstest.MapFile{Data: content}
	}
	return out
}

// Issue 5, 3: a bundle is taken whole, as it was signed, or not at all.
func TestSigned(t *testing.T) {
	c := newCurator(t, "curator.example/trust-bundle")
	files := bundleFiles(t)
	plain := maps.Clone(files)
	if err := Sign(files, 7, made, c); err != nil {
		t.Fatal(err)
	}
	opened, head, err := OpenSigned(asFS(files))
	if err != nil || head == nil || head.Version != 7 || !head.MadeAt.Equal(made) || head.Files != len(plain) || head.Key != c.public {
		t.Fatalf("ok/signed: %+v, %v", head, err)
	}
	b, report, err := Load(opened)
	if err != nil || len(report) > 0 || len(signersOf(b)) != 8 || !b.HasParticipant("CHL") || !b.HasParticipant("XCL") {
		t.Errorf("ok/parts: %v %v", report, err)
	}
	if _, head, err := OpenSigned(asFS(plain)); head != nil || err != nil {
		t.Errorf("ok/not signed: %v %v", head, err)
	}
	for name, content := range files {
		changed := maps.Clone(files)
		changed[name] = append(bytes.Clone(content), 'x')
		if _, _, err := OpenSigned(asFS(changed)); !errors.Is(err, ErrForged) && name != keyFile {
			t.Errorf("error/%s is changed: %v", name, err)
		}
		delete(changed, name)
		if _, _, err := OpenSigned(asFS(changed)); !errors.Is(err, ErrForged) {
			t.Errorf("error/%s is gone: %v", name, err)
		}
	}
	for name, change := range map[string]func(map[string][]byte){
		"a file that nobody signed": func(f map[string][]byte) { f["chl/health/evil.der"] = []byte("x") },
		"a part that nobody signed": func(f map[string][]byte) { f["evil/manifest.json"] = []byte(`{"version":1}`) },
		"another's key": func(f map[string][]byte) {
			f[keyFile] = []byte(newCurator(t, "curator.example/trust-bundle").public + "\n")
		},
		"another version": func(f map[string][]byte) {
			f[headFile] = bytes.Replace(f[headFile], []byte("version 7"), []byte("version 8"), 1)
		},
		"the head of another": func(f map[string][]byte) {
			other := maps.Clone(plain)
			other["more"] = nil
			if err := Sign(other, 7, made, c); err != nil {
				t.Fatal(err)
			}
			f[headFile] = other[headFile]
		},
		"a path out of it": func(f map[string][]byte) {
			f[indexFile] = bytes.Replace(f[indexFile], []byte("  chl/"), []byte("  ../"), 1)
		},
		"too large": func(f map[string][]byte) { f["chl/manifest.json"] = make([]byte, maxFile+1) },
	} {
		changed := maps.Clone(files)
		change(changed)
		if _, _, err := OpenSigned(asFS(changed)); !errors.Is(err, ErrForged) {
			t.Errorf("error/%s: %v", name, err)
		}
	}
	for _, name := range []string{"signed/x", "a\nb", "../a", `a\b`} {
		if Sign(map[string][]byte{name: nil}, 1, made, c) == nil {
			t.Errorf("error/%q: signed", name)
		}
	}
}

// The version only grows: of an equal one only the same bundle is taken.
func TestHeadAfter(t *testing.T) {
	c, other := newCurator(t, "a.example/trust-bundle"), newCurator(t, "a.example/trust-bundle")
	head := func(by curator, version int64, text string) Head {
		files := map[string][]byte{"manifest.json": []byte(text)}
		if err := Sign(files, version, made, by); err != nil {
			t.Fatal(err)
		}
		h, _, err := OpenHead(by.public, string(files[headFile]))
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	seen := head(c, 5, "a")
	for name, v := range map[string]struct {
		h    Head
		want bool
	}{
		"newer": {head(c, 6, "b"), true}, "the same": {head(c, 5, "a"), true}, "older": {head(c, 4, "a"), false},
		"another of the same version": {head(c, 5, "b"), false}, "newer, of another key": {head(other, 6, "a"), false},
	} {
		if got := v.h.After(&seen); got != v.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if !seen.After(nil) {
		t.Error("the first is not taken")
	}
}

// Each part has its own date; the oldest is that of the whole. Parts have no parts.
func TestParts(t *testing.T) {
	files := bundleFiles(t)
	b, _, err := Load(asFS(files))
	if err != nil || b.MadeAt().Format(time.RFC3339) != "2026-08-22T18:00:11Z" {
		t.Errorf("ok/dates: %v, %v", b.MadeAt(), err)
	}
	var lines []string
	for _, e := range b.Entries() {
		lines = append(lines, fmt.Sprintf("%s %s %s", e.Kind, e.Name, e.At.Format(time.DateOnly)))
	}
	if got := strings.Join(lines, "; "); got != "hc1_signers CHL 2026-08-22; hc1_signers XCL 0001-01-01" {
		t.Errorf("ok/entries: %s", got)
	}
	for name, folders := range map[string][]string{"missing": {"chl", "no"}, "above": {".."}, "below": {"chl/health"}, "itself": {"."}} {
		if files["manifest.json"], err = Whole(folders, made); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Load(asFS(files)); err == nil {
			t.Errorf("error/%s: read", name)
		}
	}
	files["manifest.json"], _ = Whole([]string{"chl"}, made)
	files["chl/manifest.json"], _ = Whole([]string{"xcl"}, made)
	if _, _, err := Load(asFS(files)); err == nil {
		t.Error("error/a part has parts: read")
	}
}

// An authority of one part vouches for the list of another.
func TestListOfAnotherPart(t *testing.T) {
	whole, err := Whole([]string{"authorities", "lists"}, made)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{
		"manifest.json":             {Data: whole},
		"authorities/manifest.json": {Data: []byte(`{"version":1,"csca":["a.der"]}`)}, "authorities/a.der": {Data: testkit.Read(t, "vdsnc/trust/aus-csca-16f5-link.der")},
		"lists/manifest.json": {Data: []byte(`{"version":1,"crl":["a.crl"]}`)}, "lists/a.crl": {Data: testkit.Read(t, "vdsnc/trust/aus-2021-08-19.crl")},
	}
	b, report, err := Load(files)
	if err != nil || len(report) > 0 || len(b.lists) != 1 || len(b.CRLs(b.authorities[0])) != 1 {
		t.Errorf("%v, %v", report, err)
	}
}
