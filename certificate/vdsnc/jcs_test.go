package vdsnc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"

	"akashi/internal/testkit"
)

// RFC 8785, the published vectors: what Draft and Parse rest on.
func TestCanonicalVectors(t *testing.T) {
	dir := testkit.Shared(t, "security/jcs")
	inputs, _ := filepath.Glob(filepath.Join(dir, "input", "*.json"))
	if len(inputs) != 4 {
		t.Fatalf("%d inputs, want 4", len(inputs))
	}
	for _, input := range inputs {
		name := filepath.Base(input)
		t.Run("ok/"+name, func(t *testing.T) {
			in, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			got, err := jcs.Transform(in)
			if err != nil {
				t.Fatal(err)
			}
			if want := bytes.TrimSuffix(testkit.Read(t, "security/jcs/output/"+name), []byte("\n")); !bytes.Equal(got, want) {
				t.Errorf("got %s, want %s", got, want)
			}
			digits := strings.Join(strings.Fields(string(testkit.Read(t, "security/jcs/outhex/"+strings.TrimSuffix(name, ".json")+".txt"))), "")
			if hex.EncodeToString(got) != digits {
				t.Error("bytes differ from outhex")
			}
		})
	}
}

func TestCanonicalNumbers(t *testing.T) {
	lines := strings.Fields(string(testkit.Read(t, "security/jcs/es6-numbers.txt")))
	if len(lines) != 667 {
		t.Fatalf("%d numbers, want 667", len(lines))
	}
	for _, line := range lines {
		digits, want, _ := strings.Cut(line, ",")
		bits, err := strconv.ParseUint(digits, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := jcs.NumberToJSON(math.Float64frombits(bits)); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", digits, got, err, want)
		}
	}
}

// Wycheproof, ECDSA P-256 with SHA-256 and signatures as r and s: ranges and
// lengths beside the arithmetic.
func TestSignatureVectors(t *testing.T) {
	var file struct {
		TestGroups []struct {
			PublicKey struct{ Uncompressed string }
			Tests     []struct {
				TcID             int
				Msg, Sig, Result string
			}
		}
	}
	if err := json.Unmarshal(testkit.Read(t, "security/wycheproof/ecdsa_p256_sha256_p1363.json"), &file); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, g := range file.TestGroups {
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), unhex(t, g.PublicKey.Uncompressed))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range g.Tests {
			ran++
			if got := algorithms["ES256"].verify(key, unhex(t, c.Msg), unhex(t, c.Sig)); got != (c.Result == "valid") {
				t.Errorf("test %d: verified %v, want %s", c.TcID, got, c.Result)
			}
		}
	}
	if ran != 175 {
		t.Errorf("ran %d, want 175", ran)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
