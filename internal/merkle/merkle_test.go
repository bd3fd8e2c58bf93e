package merkle

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"akashi/internal/testkit"
)

func vectors(t *testing.T, name string, into any) {
	t.Helper()
	if err := json.Unmarshal(testkit.Read(t, "security/merkle/"+name), into); err != nil {
		t.Fatal(err)
	}
}

// plain is the definition of RFC 6962, 2.1, written down.
func plain(leaves []Hash) Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	return tlog.NodeHash(plain(leaves[:k]), plain(leaves[k:]))
}

// S-086: any size, by leaves and by tiles, gives the root of RFC 6962.
func TestRoot(t *testing.T) {
	var leaves []Hash
	var byLeaf, byTile, tile Tree
	var row struct {
		Root string `json:"root_hex"`
	}
	testkit.Example(t, "rfc6962-empty-root", &row)
	empty, _ := hex.DecodeString(row.Root)
	if !Equal(byLeaf.Root(), empty) {
		t.Error("ok/empty tree")
	}
	for i := range 1100 {
		h := Leaf([]byte{byte(i), byte(i >> 8)})
		leaves = append(leaves, h)
		byLeaf.Append(h)
		tile.Append(h)
		if tile.Size() == TileSize {
			if err := byTile.AppendTile(tile.Root()); err != nil {
				t.Fatal(err)
			}
			tile = Tree{}
		}
		if byLeaf.Root() != plain(leaves) || byLeaf.Size() != int64(i+1) {
			t.Fatalf("ok/%d leaves", i+1)
		}
	}
	for _, h := range leaves[byTile.Size():] {
		byTile.Append(h)
	}
	if byTile.Root() != plain(leaves) {
		t.Error("ok/tiles")
	}
	if byTile.AppendTile(Hash{}) == nil {
		t.Error("error/tile in the middle of another")
	}
}

// merkle/inclusion.json, consistency.json: the module's own proofs are judged as
// their authors say, so that what we publish others can prove.
func TestVectors(t *testing.T) {
	var inclusion []struct {
		File     string
		LeafIdx  uint64
		TreeSize uint64
		Root     []byte
		LeafHash []byte
		Proof    [][]byte
		Desc     string
		WantErr  bool
	}
	vectors(t, "inclusion.json", &inclusion)
	for _, v := range inclusion {
		root, ok := HashOf(v.Root)
		leaf, ok2 := HashOf(v.LeafHash)
		proof, ok3 := hashes(v.Proof)
		failed := !ok || !ok2 || !ok3 || v.LeafIdx >= v.TreeSize || tlog.CheckRecord(proof, int64(v.TreeSize), root, int64(v.LeafIdx), leaf) != nil
		if failed != v.WantErr {
			t.Errorf("%s (%s): refused %t", v.File, v.Desc, failed)
		}
	}
	var consistency []struct {
		File         string
		Size1, Size2 uint64
		Root1, Root2 []byte
		Proof        [][]byte
		Desc         string
		WantErr      bool
	}
	vectors(t, "consistency.json", &consistency)
	for _, v := range consistency {
		old, ok := HashOf(v.Root1)
		root, ok2 := HashOf(v.Root2)
		proof, ok3 := hashes(v.Proof)
		failed := !ok || !ok2 || !ok3 || v.Size1 == 0 || v.Size2 < v.Size1 || tlog.CheckTree(proof, int64(v.Size2), root, int64(v.Size1), old) != nil
		if failed != v.WantErr {
			t.Errorf("%s (%s): refused %t", v.File, v.Desc, failed)
		}
	}
	if len(inclusion) != 66 || len(consistency) != 66 {
		t.Errorf("%d and %d vectors", len(inclusion), len(consistency))
	}
}

func hashes(list [][]byte) (out []Hash, ok bool) {
	for _, b := range list {
		h, ok := HashOf(b)
		if !ok {
			return nil, false
		}
		out = append(out, h)
	}
	return out, true
}

// merkle/signed-note.json: verifies; no change of one byte does.
func TestSignedNote(t *testing.T) {
	var v struct{ VerifierKey, Text, SignatureLine string }
	vectors(t, "signed-note.json", &v)
	key, err := note.NewVerifier(v.VerifierKey)
	if err != nil {
		t.Fatal(err)
	}
	whole := []byte(v.Text + "\n" + v.SignatureLine + "\n")
	if _, err := note.Open(whole, note.VerifierList(key)); err != nil {
		t.Fatalf("ok/signed note: %v", err)
	}
	for i := range whole {
		changed := append([]byte(nil), whole...)
		changed[i] ^= 1
		if _, err := note.Open(changed, note.VerifierList(key)); err == nil {
			t.Errorf("error/byte %d changed: opens", i)
		}
	}
}

func TestCheckpoint(t *testing.T) {
	secret, public, err := note.GenerateKey(rand.Reader, "akashi.test/log")
	if err != nil {
		t.Fatal(err)
	}
	signer, _ := note.NewSigner(secret)
	key, _ := note.NewVerifier(public)
	c := Checkpoint{Origin: "akashi.test/log", Size: 7, Root: Leaf(nil), Time: time.Date(2026, 11, 22, 1, 2, 3, 4_000_000, time.UTC), Also: []string{"buckets 1 x"}}
	text, err := c.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	got, err := OpenCheckpoint(text, key)
	if err != nil || got.Size != 7 || got.Root != c.Root || !got.Time.Equal(c.Time) || len(got.Also) != 1 {
		t.Fatalf("ok: %+v %v", got, err)
	}
	want := "akashi.test/log\n7\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\ntime 2026-11-22T01:02:03.004Z\nbuckets 1 x\n\n— akashi.test/log "
	if !strings.HasPrefix(text, want) {
		t.Errorf("ok/form:\n%s", text)
	}
	signed := strings.Index(text, "\n\n")
	for i := range signed { // behind it stands the signature, whose last character has unused bits
		b := []byte(text)
		b[i] ^= 1
		if _, err := OpenCheckpoint(string(b), key); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("error/byte %d changed: %v", i, err)
		}
	}
	other := c
	other.Origin = "akashi.test/other"
	if text, err = other.Sign(signer); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCheckpoint(text, key); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("error/another origin: %v", err)
	}
}
