package trust

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/mod/sumdb/note"

	"akashi/internal/merkle"
)

var since = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func digestOf(i int) [32]byte { return sha256.Sum256(fmt.Appendf(nil, "%d", i)) }

func editionOf(n int) Edition {
	var list [][ShortSize]byte
	for i := range n {
		d := digestOf(i)
		list = append(list, [ShortSize]byte(d[:]))
	}
	return MakeEdition(list)
}

func signedEdition(t *testing.T, e Edition) (key, checkpoint string) {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, "issuer.akashi.test/issuance-log")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	text, err := merkle.Checkpoint{Origin: signer.Name(), Size: 1, Time: time.Now(), Also: []string{e.Line(), SinceLine + since.Format(time.RFC3339)}}.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	return public, text
}

// docs/issuance-log.md: every digest is found in the bucket of its first digits,
// no other is; a bucket has about 1,000 cards or the log has one bucket only, and
// all buckets of an edition are equally long.
func TestEdition(t *testing.T) {
	for n, digits := range map[int]int{0: 0, 1: 0, 15_999: 0, 16_000: 1, 300_000: 2} {
		e := editionOf(n)
		if e.Digits != digits || len(e.Buckets) != 1<<(4*digits) {
			t.Errorf("ok/%d: %d digits, %d buckets", n, e.Digits, len(e.Buckets))
		}
		for i, b := range e.Buckets {
			if len(b) != len(e.Buckets[0]) || len(b)%(padding*ShortSize) != 0 || len(b) == 0 {
				t.Errorf("ok/%d: bucket %d has %d bytes", n, i, len(b))
			}
		}
		key, checkpoint := signedEdition(t, e)
		whole, err := openAll(key, checkpoint, e.All(), nil)
		if err != nil {
			t.Fatalf("ok/%d: %v", n, err)
		}
		for i := range n + 100 {
			if i > 2000 && i < n {
				continue
			}
			logged, known := whole.Has(digestOf(i))
			if logged != (i < n) || !known {
				t.Fatalf("%d of %d: logged %t known %t", i, n, logged, known)
			}
		}
		if !bytes.Equal(whole.all(), e.All()) {
			t.Errorf("ok/%d: other bytes", n)
		}
	}
}

// One bucket, fetched by the first digits, is enough to judge a card and says
// nothing about those of other buckets.
func TestOneBucket(t *testing.T) {
	e := editionOf(20_000)
	key, checkpoint := signedEdition(t, e)
	d := digestOf(7)
	name := BucketName(d[:], e.Digits)
	bucket := e.Buckets[bucketOf(d[:], e.Digits)]
	l, err := OpenIssuanceLog(key, checkpoint, e.Index(), map[string][]byte{name: bucket}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if logged, known := l.Has(d); !logged || !known {
		t.Error("ok/not found in its bucket")
	}
	elsewhere := -1
	for i := range 100 {
		if other := digestOf(i); BucketName(other[:], e.Digits) != name {
			elsewhere = i
		}
	}
	if _, known := l.Has(digestOf(elsewhere)); known {
		t.Error("error/a bucket that is not here is known")
	}
	changed := slices.Clone(bucket)
	changed[5] ^= 1
	index := e.Index()
	other := slices.Clone(index)
	other[0] ^= 1
	for what, open := range map[string]func() error{
		"changed bucket": func() error {
			_, err := OpenIssuanceLog(key, checkpoint, index, map[string][]byte{name: changed}, nil)
			return err
		},
		"another's bucket": func() error {
			_, err := OpenIssuanceLog(key, checkpoint, index, map[string][]byte{"f": e.Buckets[0]}, nil)
			return err
		},
		"name": func() error {
			_, err := OpenIssuanceLog(key, checkpoint, index, map[string][]byte{"00": bucket}, nil)
			return err
		},
		"index": func() error { _, err := OpenIssuanceLog(key, checkpoint, other, nil, nil); return err },
		"checkpoint": func() error {
			_, err := OpenIssuanceLog(key, strings.Replace(checkpoint, "buckets 1", "buckets 0", 1), index, nil, nil)
			return err
		},
		"key": func() error { _, err := OpenIssuanceLog("x", checkpoint, index, nil, nil); return err },
	} {
		if open() == nil {
			t.Errorf("error/%s: opens", what)
		}
	}
}

// A trust directory with a log gives it back; one whose digests were changed is
// reported and has none.
func TestIssuancesInDirectory(t *testing.T) {
	e := editionOf(3)
	key, checkpoint := signedEdition(t, e)
	log, err := openAll(key, checkpoint, e.All(), []string{"thumb"})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := new(Bundle).WithIssuances(log).Write(dir); err != nil {
		t.Fatal(err)
	}
	b, report, err := Load(os.DirFS(dir))
	if err != nil || len(report) > 0 {
		t.Fatalf("ok: %v %v", report, err)
	}
	got := b.Issuances("thumb")
	if got == nil || !got.Since.Equal(since) {
		t.Fatalf("ok/covers: %+v", got)
	}
	if logged, known := got.Has(digestOf(2)); !logged || !known {
		t.Error("ok/found again")
	}
	if l := b.Issuances("other"); l != nil {
		t.Error("error/covers another key")
	}
	files, err := filepath.Glob(filepath.Join(dir, "issuance", "*.digests"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	broken := fstest.MapFS{}
	if err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		text, err := os.ReadFile(path)
		if path == files[0] {
			text[0] ^= 1
		}
		broken[name] = &fstest.MapFile{Data: text}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if b, report, err = Load(broken); err != nil || len(report) != 1 || report[0].Code != "not_this_checkpoint" {
		t.Errorf("error/changed digests: %v %v", report, err)
	}
	if l := b.Issuances("thumb"); l != nil {
		t.Error("error/changed digests are used")
	}
}
